// SPDX-License-Identifier: MIT
import { formatReply, REPLIES, type Reply, say } from '../../replies.js'
import { type AgentEvent, type Opinion, PASS } from '../agent.js'
import type { Judgement } from './answers.js'

const REFUSED = say(554, '5.7.1', 'Refused by a content filter')
const RECIPIENT_REFUSED = say(550, '5.7.1', 'Recipient refused by a content filter')
const LATER = say(451, '4.7.1', 'Put off by a content filter, try again later')

/** What a milter's judgement means at an event. Discarding is no opinion before the end of a message. */
export function opinionOf(judgement: Judgement, event: AgentEvent, mayDiscard: boolean): Opinion {
  switch (judgement.kind) {
    case 'reject':
      return against(event === 'rcpt' ? RECIPIENT_REFUSED : REFUSED)
    case 'tempfail':
      return against(LATER)
    case 'reply':
      return against(judgement.reply)
    case 'shutdown':
      return against(REPLIES.agentAway)
    case 'discard':
      return mayDiscard ? { kind: 'discard', reason: 'the milter discarded it' } : against(REFUSED)
    case 'continue':
    case 'accept':
    case 'skip':
      return PASS
  }
}

/** A reply that says goodbye is the last one (RFC 5321 section 3.8). */
function against(reply: Reply): Opinion {
  const reason = formatReply({ ...reply, lines: [reply.lines[0]] }).trimEnd()
  return { kind: 'against', reply, reason, ...(reply.code === 421 ? { close: true } : {}) }
}
