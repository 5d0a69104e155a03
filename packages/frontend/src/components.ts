// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { ComponentStates } from '@portico/routing'
import type { Protocol } from '@portico/session'
import type { FrontEndSettings, OtherProtocol } from './schema.js'

/** A name that nobody looks at would leave open what was to be closed. What other processes of the file look at is not known. */
export function componentProblems(
  settings: FrontEndSettings,
  protocols: readonly Protocol<never>[],
  others: readonly OtherProtocol[],
): ConfigProblem[] {
  if (others.length > 0) return []
  const known = new Set(protocols.flatMap((protocol) => [protocol.name, ...componentsOf(settings, protocol)]))
  const expectation = `expected one of the components ${[...known].join(', ')}`
  return Object.keys(settings.components)
    .filter((name) => !known.has(name))
    .map((name) => ({ path: ['components', name], expectation }))
}

function componentsOf({ protocols }: FrontEndSettings, protocol: Protocol<never>): readonly string[] {
  return protocol.components?.(protocols.get(protocol.name) as never) ?? []
}

/** The states that a configuration says. */
export function configuredStates({ components }: FrontEndSettings): ComponentStates {
  return new Map(Object.entries(components))
}

/** The same when the node leaves: these protocols drain, whatever they did before. */
export function leavingStates(states: ComponentStates, protocols: readonly string[]): ComponentStates {
  return new Map([...states, ...protocols.map((name) => [name, 'draining'] as const)])
}
