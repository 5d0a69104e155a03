// SPDX-License-Identifier: MIT
import type { AgentBlock, AgentType } from './agent-type.js'
import { greetDelay } from './greet-delay.js'
import { ipList } from './ip-list.js'
import { recipientFilter } from './recipient-filter.js'
import { rspamd } from './rspamd.js'

/** All types of agents. A new one is added here. */
export const AGENT_TYPES: readonly [AgentType<AgentBlock>, ...AgentType<AgentBlock>[]] = [
  ipList,
  greetDelay,
  rspamd,
  recipientFilter,
]
