// SPDX-License-Identifier: MIT
import type { AgentMetrics } from './agents/agent-metrics.js'
import type { AgentSet } from './agents/agent-set.js'
import { Offers } from './backend/offers.js'
import { RecipientMemory } from './backend/recipient-memory.js'
import { SpoolBudget } from './message/spool-budget.js'
import type { SmtpSettings } from './schema.js'

/** What all sessions of one configuration share, and with them the drivers of its backends. */
export interface Shared {
  readonly offers: Offers
  readonly recipients: RecipientMemory
  readonly spools: SpoolBudget
  /** Backends that the log has been told of which know no IPv6. */
  readonly withheldFrom: Set<string>
  /** Made by the first session: agents need its services. */
  agents: AgentSet | undefined
  agentMetrics: AgentMetrics | undefined
}

const BY_SETTINGS = new WeakMap<SmtpSettings, Shared>()

/** The same for the same settings: a new configuration begins anew. */
export function sharedOf(settings: SmtpSettings): Shared {
  const known = BY_SETTINGS.get(settings)
  if (known !== undefined) return known
  const shared: Shared = {
    offers: new Offers(),
    recipients: new RecipientMemory(settings.unknownRecipients),
    spools: new SpoolBudget(),
    withheldFrom: new Set(),
    agents: undefined,
    agentMetrics: undefined,
  }
  BY_SETTINGS.set(settings, shared)
  return shared
}
