// SPDX-License-Identifier: MIT

import { rules } from '../rules/rules-agent.js'
import { telephony } from '../telephony/telephony.js'
import type { AgentBlock, AgentType } from './agent-type.js'
import { attachmentFilter } from './attachment-filter/attachment-filter.js'
import { arc } from './authentication/arc-agent.js'
import { dkim } from './authentication/dkim-agent.js'
import { dmarc } from './authentication/dmarc-agent.js'
import { spf } from './authentication/spf-agent.js'
import { clamav } from './clamav/clamav.js'
import { dnsList } from './dns-list/dns-list.js'
import { greetDelay } from './greet-delay.js'
import { helo } from './helo/helo.js'
import { ipList } from './ip-list.js'
import { milter } from './milter/milter.js'
import { recipientFilter } from './recipient-filter.js'
import { reputation } from './reputation/reputation.js'
import { rspamd } from './rspamd/rspamd.js'
import { senderFilter } from './sender-filter.js'

/** All types of agents, in the order in which they are asked. A new one is added here. */
export const AGENT_TYPES: readonly [AgentType<AgentBlock>, ...AgentType<AgentBlock>[]] = [
  ipList,
  dnsList,
  greetDelay,
  helo,
  telephony,
  rules,
  rspamd,
  clamav,
  milter,
  spf,
  dkim,
  arc,
  dmarc,
  senderFilter,
  recipientFilter,
  reputation,
  attachmentFilter,
]
