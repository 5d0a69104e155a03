// SPDX-License-Identifier: MIT
import type { Metrics } from '@portico/telemetry'
import type { Agent, AgentEvent, Opinion } from './agent.js'
import { nameOfAction } from './told.js'

/** What is counted of agents. */
export interface AgentMetrics {
  /** What an agent thought, or what held instead of its answer. */
  thought(agent: Agent, event: AgentEvent, opinion: Opinion): void
  away(agent: Agent, event: AgentEvent, why: 'deadline' | 'failed'): void
  /** How long the answer of one that had to be awaited took. */
  took(agent: Agent, event: AgentEvent, ms: number): void
}

/** The counters of all agents of a process. */
export function agentMetrics(metrics: Metrics): AgentMetrics {
  const opinions = metrics.counter(
    'portico_smtp_agent_opinions_total',
    'What agents thought of clients and messages, and what their settings made of it',
    ['agent', 'event', 'opinion', 'action'],
  )
  const away = metrics.counter('portico_smtp_agent_away_total', 'Agents that gave no answer', ['agent', 'event', 'why'])
  const seconds = metrics.timer('portico_smtp_agent_seconds', 'How long agents were awaited', ['agent', 'event'])
  return {
    thought: (agent, event, opinion) =>
      opinions.add(1, { agent: agent.name, event, opinion: opinion.kind, action: actionOf(agent, opinion) }),
    away: ({ name }, event, why) => away.add(1, { agent: name, event, why }),
    took: ({ name }, event, ms) => seconds.took(ms, { agent: name, event }),
  }
}

function actionOf(agent: Agent, opinion: Opinion): string {
  if (opinion.kind !== 'against') return ''
  if (agent.audit) return 'audit'
  return nameOfAction(opinion.action ?? agent.action)
}
