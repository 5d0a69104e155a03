// SPDX-License-Identifier: MIT
import type { Dialogue, Next } from '../dialogue.js'
import type { Reply } from '../replies.js'
import type { Envelope } from './envelope.js'
import type { Fault } from './fault.js'
import { oneAnswer } from './verdicts.js'

/** The message has its verdicts: its client is told, and the log. */
export function concluded(dialogue: Dialogue, envelope: Envelope, replies: readonly Reply[], size: number): Next {
  dialogue.closeTransaction()
  dialogue.leaveEmpty(envelope.branches)
  const answer = oneAnswer(replies)
  dialogue.agents?.concluded(answer.code < 300)
  report(dialogue, envelope, replies, size, {})
  if (dialogue.connector.lmtp) for (const reply of replies) dialogue.reply(reply)
  else dialogue.reply(answer)
  return 'next'
}

/** The message is given up: no backend has an end of it. In LMTP there is an answer for each recipient (RFC 2033 section 4.2). */
export function givenUp(dialogue: Dialogue, envelope: Envelope, fault: Fault, size: number): Next {
  dialogue.dropTransaction()
  const replies = envelope.recipients.map(() => fault.reply)
  dialogue.agents?.concluded(false)
  report(dialogue, envelope, replies, size, { fault: fault.why })
  for (const reply of dialogue.connector.lmtp ? replies : [fault.reply]) dialogue.reply(reply)
  return fault.close ? 'refused' : 'next'
}

/** One line for each message. What it says holds no text of the message. */
function report(
  { session, authenticated }: Dialogue,
  envelope: Envelope,
  replies: readonly Reply[],
  size: number,
  more: { readonly fault?: string },
): void {
  const { services, leg, id } = session
  const accepted = replies.filter(({ code }) => code < 300).length
  const answer = oneAnswer(replies)
  services.log.info(titleOf(envelope, accepted), {
    session: id,
    client: leg.facts.peer.address,
    ...(authenticated === undefined ? {} : { user: authenticated.principal.user }),
    from: envelope.sender === undefined ? '' : `${envelope.sender.local}@${envelope.sender.domain}`,
    recipients: replies.length,
    ...(accepted > 0 && accepted < replies.length ? { accepted } : {}),
    size,
    ...(envelope.readdressed === undefined ? {} : { readdressed: envelope.readdressed.length }),
    backends: envelope.branches
      .filter(({ recipients }) => recipients > 0)
      .map(({ backend }) => backend.lease.backend.id),
    reply: answer.code,
    enhanced: answer.enhanced ?? answer.lines[0].split(' ', 1)[0],
    ms: Math.round((services.clock.now() - envelope.since) * 10) / 10,
    ...more,
  })
}

function titleOf({ discarded }: Envelope, accepted: number): string {
  if (discarded) return 'message discarded'
  return accepted > 0 ? 'message accepted' : 'message refused'
}
