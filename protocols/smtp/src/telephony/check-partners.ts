// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { Connector } from '../connector/connectors.js'
import { may } from '../connector/permissions.js'
import type { TelephonySettings } from './telephony-schema.js'

interface Settings {
  readonly agents: readonly { readonly type: string }[]
  readonly connectors: ReadonlyMap<string, Connector>
}

/** Partners who come by no connector, or by one where nobody believes them. */
export function partnerProblems({ agents, connectors }: Settings): ConfigProblem[] {
  return agents.flatMap((agent, index) =>
    isTelephony(agent)
      ? Object.keys(agent.partners).flatMap((name) => {
          const expectation = faultOf(connectors, name)
          return expectation === undefined ? [] : [{ path: ['smtp', 'agents', index, 'partners', name], expectation }]
        })
      : [],
  )
}

function faultOf(connectors: Settings['connectors'], name: string): string | undefined {
  const connector = connectors.get(name)
  if (connector === undefined) return `expected one of the connectors ${[...connectors.keys()].join(', ')}`
  const isBelieved = [false, true].some((signedIn) => may(connector, signedIn, 'telephony-headers'))
  return isBelieved ? undefined : 'expected a connector where somebody has the permission telephony-headers'
}

function isTelephony(agent: { readonly type: string }): agent is TelephonySettings {
  return agent.type === 'telephony'
}
