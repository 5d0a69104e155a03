// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import type { ConfigProblem } from '@portico/config'
import type { Services, SiteFacts } from '@portico/session'
import type { Connector } from '../connector/connectors.js'
import { may } from '../connector/permissions.js'
import type { SmtpSettings } from '../schema.js'
import { sharedOf } from '../shared.js'
import type { Agent } from './agent.js'
import type { AgentSettings } from './agents-schema.js'
import { greetDelay } from './greet-delay.js'
import { ipList } from './ip-list.js'
import { parseNetworkList } from './network-list.js'
import { recipientFilter } from './recipient-filter.js'
import { rspamd } from './rspamd.js'

/** The order of the table in the documentation: a client that is known by its address is not kept waiting. */
const ORDER: readonly AgentSettings['type'][] = ['ip-list', 'greet-delay', 'recipient-filter', 'rspamd']

type Needs = Pick<Services, 'clock' | 'wheel' | 'log' | 'pathOf' | 'disposeWhenRetired'>

/** The agents of each connector, in the order in which they are asked; made once for each configuration. */
export type AgentSet = ReadonlyMap<string, readonly Agent[]>

/** The agents that are asked at a connector. */
export function agentsOf(settings: SmtpSettings, connector: Connector, needs: Needs): readonly Agent[] {
  const shared = sharedOf(settings)
  shared.agents ??= agentSet(settings, needs)
  return shared.agents.get(connector.name) ?? []
}

function agentSet({ agents, connectors }: SmtpSettings, needs: Needs): AgentSet {
  const made = agents
    .toSorted((one, other) => ORDER.indexOf(one.type) - ORDER.indexOf(other.type))
    .map((settings) => ({ settings, agent: make(settings, needs) }))
  return new Map(
    [...connectors.values()].map((connector) => [
      connector.name,
      made.filter(({ settings }) => isAskedAt(settings, connector)).map(({ agent }) => agent),
    ]),
  )
}

function make(settings: AgentSettings, needs: Needs): Agent {
  switch (settings.type) {
    case 'ip-list':
      return ipList(settings, needs)
    case 'greet-delay':
      return greetDelay(settings, needs.wheel)
    case 'recipient-filter':
      return recipientFilter(settings)
    case 'rspamd': {
      const agent = rspamd(settings, needs.clock)
      needs.disposeWhenRetired(agent)
      return agent
    }
  }
}

function isAskedAt({ connectors }: AgentSettings, connector: Connector): boolean {
  return connectors === undefined ? may(connector, false, 'submit') : connectors.includes(connector.name)
}

/** Connectors that do not exist, and files that cannot be read. */
export function agentProblems(
  { agents, connectors }: SmtpSettings,
  { pathOf }: Pick<SiteFacts, 'pathOf'>,
): readonly ConfigProblem[] {
  const names = [...connectors.keys()]
  return agents.flatMap((agent, index) => {
    const path = ['smtp', 'agents', index]
    const unknown = (agent.connectors ?? []).findIndex((name) => !connectors.has(name))
    const problems: ConfigProblem[] =
      unknown < 0
        ? []
        : [
            {
              path: [...path, 'connectors', unknown],
              expectation: `expected one of the connectors ${names.join(', ')}`,
            },
          ]
    if (agent.type !== 'ip-list') return problems
    for (const key of ['allowFile', 'blockFile'] as const) {
      const fault = agent[key] === undefined ? undefined : faultOf(pathOf(agent[key]))
      if (fault !== undefined)
        problems.push({ path: [...path, key], expectation: `expected a list of networks: ${fault}` })
    }
    return problems
  })
}

function faultOf(path: string): string | undefined {
  try {
    parseNetworkList(readFileSync(path, 'utf8'))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
