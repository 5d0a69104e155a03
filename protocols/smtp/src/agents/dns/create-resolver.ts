// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import type { DnsResolver } from './dns-resolver.js'
import type { DnsSettings } from './dns-schema.js'
import { nodeLookup } from './node-lookup.js'
import { QuestionDesk } from './question-desk.js'

/** A resolver that has sockets. */
export interface ClosableResolver extends DnsResolver, Disposable {}

/** The resolver of all agents of one configuration. What is open when it is disposed of comes to nothing. */
export function createResolver(settings: DnsSettings, clock: Clock): ClosableResolver {
  const { lookup, [Symbol.dispose]: close } = nodeLookup(settings)
  const { timeout, maxLookups } = settings
  const desk = new QuestionDesk({ lookup, clock, timeout, maxLookups })
  return { ask: (name, type, signal) => desk.ask(name, type, signal), [Symbol.dispose]: close }
}
