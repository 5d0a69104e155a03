// SPDX-License-Identifier: MIT
import { hindrance } from '../agents/ask-agents.js'
import { isSignedIn, senderRefusal } from '../connector/access.js'
import { sizeLimit } from '../connector/permissions.js'
import { mayCountMessage } from '../connector/rate.js'
import type { Dialogue, Next } from '../dialogue.js'
import type { MailCommand } from '../parse.js'
import { REPLIES } from '../replies.js'
import { newEnvelope } from '../transaction/envelope.js'
import { type MailParameters, readMailParameters } from '../transaction/parameters.js'

/**
 * MAIL (RFC 5321 section 4.1.1.2). It is answered here: which backend has to be asked is known only with the first recipient.
 */
export function mail(dialogue: Dialogue, command: MailCommand): Next | Promise<Next> {
  const { connector } = dialogue
  if (dialogue.helo === undefined) return dialogue.mistake(REPLIES.helloFirst)
  if (dialogue.envelope !== undefined) return dialogue.mistake(REPLIES.nestedMail)
  const refusal = senderRefusal(dialogue, command.mailbox)
  if (refusal !== undefined) return dialogue.mistake(refusal)
  const parameters = readMailParameters(command.parameters, dialogue.offered)
  if ('code' in parameters) return dialogue.mistake(parameters)
  if (command.mailbox?.international === true && !parameters.international)
    return dialogue.mistake(REPLIES.needsSmtpUtf8)
  if (parameters.size > sizeLimit(connector, isSignedIn(dialogue))) {
    dialogue.reply(REPLIES.tooBig)
    return 'next'
  }
  const asksNobody = dialogue.agents === undefined && connector.rate === undefined
  return asksNobody ? begin(dialogue, command, parameters) : ask(dialogue, command, parameters)
}

async function ask(dialogue: Dialogue, command: MailCommand, parameters: MailParameters): Promise<Next> {
  if (!(await mayCountMessage(dialogue))) return dialogue.mistake(REPLIES.tooManyMessages)
  const facts = { sender: command.mailbox, parameters: command.parameters }
  return (await hindrance(dialogue, 'mail', facts)) ?? begin(dialogue, command, parameters)
}

function begin(dialogue: Dialogue, { mailbox }: MailCommand, parameters: MailParameters): Next {
  dialogue.envelope = newEnvelope(mailbox, parameters, dialogue.session.services.clock.now())
  dialogue.reply(REPLIES.senderOk)
  return 'next'
}
