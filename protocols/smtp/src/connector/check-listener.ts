// SPDX-License-Identifier: MIT
import { networksOf } from '@portico/base'
import type { ConfigProblem } from '@portico/config'
import type { SiteFacts } from '@portico/session'
import type { ListenerOptions, SmtpSettings } from '../schema.js'
import { connectorNames } from './choose-connector.js'
import type { Connector } from './connectors.js'

/** What is wrong with a listener's choice of connectors. */
export function listenerProblems(
  settings: Pick<SmtpSettings, 'connectors'>,
  { index, tls, options }: SiteFacts['listeners'][number],
  balanced: boolean,
): ConfigProblem[] {
  const { connector, connectors } = options as ListenerOptions
  const path = ['listeners', index, connectors === undefined ? 'connector' : 'connectors']
  if (connector !== undefined && connectors !== undefined)
    return [{ path, expectation: 'expected connector or connectors, not both' }]
  // Connectors that are not named always exist, whatever the port.
  const names = connectorNames(options, 0)
  const named = names.flatMap((name) => settings.connectors.get(name) ?? [])
  if (named.length < names.length)
    return [{ path, expectation: `expected one of the connectors ${[...settings.connectors.keys()].join(', ')}` }]
  const problems = named.flatMap((one, at) => tieProblems(path, one, named.slice(0, at)))
  const encrypted = tls === 'none' && !balanced ? named.find(({ requireTls }) => requireTls) : undefined
  if (encrypted !== undefined)
    problems.push({
      path: ['listeners', index, 'tls'],
      expectation: `expected starttls or implicit: the connector ${encrypted.name} takes nothing without TLS`,
    })
  return problems
}

/** Nobody could say which of two connectors is meant that hold the same clients equally closely. */
function tieProblems(path: ConfigProblem['path'], one: Connector, others: readonly Connector[]): ConfigProblem[] {
  return others.flatMap((other) => {
    const shared = sharedBlock(one, other)
    if (shared === undefined) return []
    return [
      {
        path,
        expectation: `expected connectors that differ in whom they hold: ${other.name} and ${one.name} both hold ${shared}`,
      },
    ]
  })
}

function sharedBlock({ remote: one }: Connector, { remote: other }: Connector): string | undefined {
  if (one === undefined || other === undefined) return one === other ? 'everybody' : undefined
  return one.cidrs.find((cidr) => other.cidrs.some((block) => sameBlock(cidr, block)))
}

/** Blocks of one width are the same, or have no address in common. */
function sameBlock(one: string, other: string): boolean {
  const address = one.replace(/\/.*$/, '')
  return networksOf([one]).widthOf(address) === networksOf([other]).widthOf(address)
}
