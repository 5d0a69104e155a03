// SPDX-License-Identifier: MIT
import { passedOn } from '../backend-reply.js'
import type { Dialogue, Envelope, Next, Way } from '../dialogue.js'
import type { RcptCommand } from '../parse.js'
import { RECIPIENT_FAILURES, REPLIES } from '../replies.js'
import { wayOfRecipient } from '../sender.js'
import { beginAtBackend } from '../transaction.js'

/**
 * RCPT (RFC 5321 section 4.1.1.3). The recipient's backend is asked before we say 250. The first accepted recipient fixes the
 * route of the message; one with another route is to be sent in a transaction of its own, since a message has one final answer.
 */
export async function rcpt(dialogue: Dialogue, command: RcptCommand): Promise<Next> {
  const { connector, envelope } = dialogue
  if (envelope === undefined) return dialogue.mistake(REPLIES.mailFirst)
  if (command.parameters.size > 0) return dialogue.mistake(REPLIES.unknownParameter)
  if (command.mailbox.international && !envelope.international) return dialogue.mistake(REPLIES.needsSmtpUtf8)
  if (envelope.recipients >= connector.maxRecipients) return answered(dialogue, REPLIES.tooManyRecipients)
  if (!mayReceive(dialogue, command)) return dialogue.mistake(REPLIES.relayDenied)
  const way = await wayOfRecipient(dialogue, command.mailbox)
  if (way.kind === 'gone') return 'client-closed'
  // A message that nobody has been accepted for is not begun any more; one that is under way goes to whom it has.
  if (way.kind === 'refused' && way.reason === 'draining' && envelope.recipients === 0)
    return dialogue.dismiss(REPLIES.draining, 'draining')
  if (way.kind === 'refused') return answered(dialogue, RECIPIENT_FAILURES[way.reason])
  return atBackend(dialogue, envelope, command, way.way)
}

async function atBackend(dialogue: Dialogue, envelope: Envelope, command: RcptCommand, way: Way): Promise<Next> {
  if (envelope.recipients > 0 && dialogue.backendKey !== way.key) {
    // The backend may be gone, and with it the recipients that it had accepted.
    return answered(dialogue, dialogue.backend === undefined ? REPLIES.backendTrouble : REPLIES.otherRoute)
  }
  const begun = await beginAtBackend(dialogue, envelope, way)
  if (begun.kind === 'gone') return 'client-closed'
  if (begun.kind === 'refused') return answered(dialogue, begun.reply)
  const { settings, session } = dialogue
  const answer = await begun.backend.command(`RCPT TO:<${command.mailbox.text}>`, settings.backendReply, session.signal)
  if (begun.backend.over) dialogue.dropBackend()
  if (answer.kind === 'lost') return answered(dialogue, REPLIES.backendTrouble)
  // Senders look at the first digit (RFC 5321 section 4.2.1): what they take for accepted has to count here.
  if (answer.reply.code < 300) {
    envelope.recipients += 1
    dialogue.admitted()
  }
  return answered(dialogue, passedOn(answer.reply, REPLIES.backendTrouble))
}

/** Local parts in which mail servers that trust us may find another address: `user%far.example`, `far.example!user`. */
const ROUTED = /[%!@]/

/** Where nobody signs in, only recipients of the site's own domains are taken (RFC 5321 section 3.6.2); postmaster always is. */
function mayReceive({ connector }: Dialogue, { mailbox }: RcptCommand): boolean {
  if (connector.submission) return true
  if (ROUTED.test(mailbox.local)) return false
  if (mailbox.domain === '') return mailbox.local.toLowerCase() === 'postmaster' && connector.domains.length > 0
  return connector.domains.includes(mailbox.domain)
}

function answered(dialogue: Dialogue, reply: import('../replies.js').Reply): Next {
  dialogue.reply(reply)
  return 'next'
}
