// SPDX-License-Identifier: MIT
import type { Mailbox } from '../address.js'
import type { RcptFacts } from '../agents/agent.js'
import { hindrance } from '../agents/ask-agents.js'
import { saysUnknown } from '../backend/recipient-memory.js'
import { type BackendReply, passedOn } from '../backend/reply.js'
import { isSignedIn } from '../connector/access.js'
import { mayReceive } from '../connector/recipient.js'
import type { Dialogue, Next } from '../dialogue.js'
import type { RcptCommand } from '../parse.js'
import { RECIPIENT_FAILURES, REPLIES, type Reply } from '../replies.js'
import { sharedOf } from '../shared.js'
import { calledBy } from '../telephony/gateways.js'
import { spendCall, tollRefusal } from '../telephony/toll-guard.js'
import { askRecipient } from '../transaction/ask-recipient.js'
import type { Asked, Heard } from '../transaction/begin.js'
import { rulesOf } from '../transaction/branches.js'
import type { Envelope } from '../transaction/envelope.js'
import { readRcptParameters } from '../transaction/parameters.js'
import { type Way, wayOfRecipient } from '../transaction/way.js'

/**
 * RCPT (RFC 5321 section 4.1.1.3). The recipient's backend is asked before we say 250. The first accepted recipient fixes the
 * route of the message; what becomes of others is the site's choice.
 */
export async function rcpt(dialogue: Dialogue, command: RcptCommand): Promise<Next> {
  const { connector, envelope } = dialogue
  if (envelope === undefined) return dialogue.mistake(REPLIES.mailFirst)
  if (envelope.passage !== undefined || envelope.failed) return dialogue.mistake(REPLIES.badSequence)
  const { international } = envelope.parameters
  const parameters = readRcptParameters(command.parameters, dialogue.offered, international)
  if ('code' in parameters) return dialogue.mistake(parameters)
  if (command.mailbox.international && !international) return dialogue.mistake(REPLIES.needsSmtpUtf8)
  if (envelope.recipients.length >= connector.maxRecipients) return answered(dialogue, REPLIES.tooManyRecipients)
  const called = calledBy(dialogue.settings, command.mailbox)
  const refusal = called === undefined ? relayRefusal(dialogue, command) : tollRefusal(dialogue, called)
  if (refusal !== undefined) return dialogue.mistake(refusal)
  if (dialogue.agents !== undefined) {
    const hindered = await hindrance(dialogue, 'rcpt', factsOf(envelope, command), (reply) => answered(dialogue, reply))
    if (hindered !== undefined) return hindered
  }
  const way = await wayOfRecipient(dialogue, command.mailbox)
  if (way.kind === 'gone') return dialogue.client.ended
  // A message that nobody has been accepted for is not begun any more; one that is under way goes to whom it has.
  if (way.kind === 'refused' && way.reason === 'draining' && envelope.recipients.length === 0) return 'draining'
  if (way.kind === 'refused') {
    const reply = RECIPIENT_FAILURES[way.reason]
    return way.reason === 'no-mailbox' ? unknown(dialogue, command.mailbox, reply) : answered(dialogue, reply)
  }
  const known = isSignedIn(dialogue) ? undefined : unknownAt(dialogue, way.way, command.mailbox)
  if (known !== undefined) return unknown(dialogue, command.mailbox, known)
  const spent = called?.kind === 'call' ? await spendCall(dialogue, called) : undefined
  if (spent !== undefined) return answered(dialogue, spent)
  const asked = { mailbox: command.mailbox, parameters }
  const heard = await askRecipient(dialogue, envelope, way.way, asked, rulesOf(connector))
  return tell(dialogue, envelope, asked, heard)
}

function relayRefusal(dialogue: Dialogue, { mailbox }: RcptCommand): Reply | undefined {
  return mayReceive(dialogue.connector, isSignedIn(dialogue), mailbox) ? undefined : REPLIES.relayDenied
}

function factsOf({ sender, recipients }: Envelope, { mailbox, parameters }: RcptCommand): RcptFacts {
  return { sender, recipient: mailbox, parameters, accepted: recipients.length }
}

/** What the way's backends have said of the recipient a short time ago: that there is no such mailbox. */
function unknownAt({ settings, session }: Dialogue, way: Way, mailbox: Mailbox): Reply | undefined {
  const reply = sharedOf(settings).recipients.knows(way.key, mailbox.text, session.services.clock.now())
  return reply && passedOn(reply, REPLIES.backendTrouble)
}

function tell(dialogue: Dialogue, envelope: Envelope, { mailbox, parameters }: Asked, heard: Heard): Next {
  if (heard.kind === 'gone') return dialogue.client.ended
  if (heard.kind === 'refused') return answered(dialogue, heard.reply)
  const { answer, branch } = heard
  if (answer.kind === 'lost') return answered(dialogue, REPLIES.backendTrouble)
  // Senders look at the first digit (RFC 5321 section 4.2.1): what they take for accepted has to count here.
  if (answer.reply.code < 300) {
    branch.recipients += 1
    envelope.recipients.push({ mailbox, parameters, branch })
    dialogue.client.admitted()
  } else if (!isSignedIn(dialogue) && saysUnknown(answer.reply)) {
    remember(dialogue, branch.way, mailbox, answer.reply)
    return unknown(dialogue, mailbox, passedOn(answer.reply, REPLIES.backendTrouble))
  }
  return answered(dialogue, passedOn(answer.reply, REPLIES.backendTrouble))
}

function remember({ settings, session }: Dialogue, way: Way, mailbox: Mailbox, reply: BackendReply): void {
  sharedOf(settings).recipients.remember(way.key, mailbox.text, reply, session.services.clock.now())
}

function answered(dialogue: Dialogue, reply: Reply): Next {
  dialogue.reply(reply)
  return 'next'
}

/** There is no such mailbox, by the word of its backend or of the directory. */
function unknown(dialogue: Dialogue, mailbox: Mailbox, reply: Reply): Next {
  dialogue.agents?.unknown(mailbox)
  return answered(dialogue, reply)
}
