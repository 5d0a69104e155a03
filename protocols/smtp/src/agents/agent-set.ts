// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { Services, SiteFacts } from '@portico/session'
import type { Connector } from '../connector/connectors.js'
import { may } from '../connector/permissions.js'
import type { SmtpSettings } from '../schema.js'
import { sharedOf } from '../shared.js'
import type { Agent } from './agent.js'
import { type AgentMetrics, agentMetrics } from './agent-metrics.js'
import type { AgentBlock, AgentNeeds, AgentType } from './agent-type.js'
import { AGENT_TYPES } from './agent-types.js'
import { createResolver } from './dns/create-resolver.js'

type Needs = Pick<Services, 'clock' | 'wheel' | 'log' | 'state' | 'hostname' | 'pathOf' | 'disposeWhenRetired'>

/** The counters of the agents; made once for each configuration. */
export function agentMetricsOf(settings: SmtpSettings, { metrics }: Pick<Services, 'metrics'>): AgentMetrics {
  const shared = sharedOf(settings)
  shared.agentMetrics ??= agentMetrics(metrics)
  return shared.agentMetrics
}

/** The agents of each connector, in the order in which they are asked; made once for each configuration. */
export type AgentSet = ReadonlyMap<string, readonly Agent[]>

const TYPES: ReadonlyMap<string, AgentType<AgentBlock>> = new Map(AGENT_TYPES.map((type) => [type.type, type]))

/** The agents that are asked at a connector. */
export function agentsOf(settings: SmtpSettings, connector: Connector, needs: Needs): readonly Agent[] {
  const shared = sharedOf(settings)
  shared.agents ??= agentSet(settings, needs)
  return shared.agents.get(connector.name) ?? []
}

function agentSet({ agents, connectors, dns }: SmtpSettings, services: Needs): AgentSet {
  const { clock, wheel, log, state, hostname } = services
  const resolver = createResolver(dns, clock)
  services.disposeWhenRetired(resolver)
  const needs: AgentNeeds = {
    ...{ clock, wheel, log, state, hostname, resolver },
    domains: [...new Set([...connectors.values()].flatMap(({ domains }) => domains.map((one) => one.toLowerCase())))],
    pathOf: (path) => services.pathOf(path),
    disposeWhenRetired: (resource) => services.disposeWhenRetired(resource),
  }
  const made = agents
    .map((written) => ({ written, type: typeOf(written) }))
    .toSorted((one, other) => priorityOf(one) - priorityOf(other))
    .map(({ written, type }) => ({ written, type, agent: type.make(written, needs) }))
  return new Map(
    [...connectors.values()].map((connector) => [
      connector.name,
      made.filter(({ written, type }) => isAskedAt(written, type, connector)).map(({ agent }) => agent),
    ]),
  )
}

function typeOf({ type }: AgentBlock): AgentType<AgentBlock> {
  const known = TYPES.get(type)
  if (known === undefined) throw new TypeError(`no agent type ${type}`)
  return known
}

function priorityOf({ written, type }: { readonly written: AgentBlock; readonly type: AgentType<AgentBlock> }): number {
  return written.priority ?? type.priority
}

function isAskedAt({ connectors }: AgentBlock, { everywhere }: AgentType<AgentBlock>, connector: Connector): boolean {
  if (connectors !== undefined) return connectors.includes(connector.name)
  return everywhere === true || may(connector, false, 'submit')
}

/** Connectors that do not exist, and what the agents themselves find wrong, such as files that cannot be read. */
export function agentProblems(
  { agents, connectors }: SmtpSettings,
  site: Pick<SiteFacts, 'pathOf'>,
): readonly ConfigProblem[] {
  const names = [...connectors.keys()]
  return agents.flatMap((written, index) => {
    const at = ['smtp', 'agents', index]
    const own = typeOf(written).problems?.(written, site) ?? []
    const problems = own.map(({ path, expectation }) => ({ path: [...at, ...path], expectation }))
    const unknown = (written.connectors ?? []).findIndex((name) => !connectors.has(name))
    if (unknown < 0) return problems
    const expectation = `expected one of the connectors ${names.join(', ')}`
    return [{ path: [...at, 'connectors', unknown], expectation }, ...problems]
  })
}
