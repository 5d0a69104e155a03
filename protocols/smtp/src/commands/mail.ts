// SPDX-License-Identifier: MIT
import type { Dialogue, Envelope, Next } from '../dialogue.js'
import type { MailCommand } from '../parse.js'
import { AUTH_FAILURES, REPLIES, type Reply } from '../replies.js'
import type { Connector } from '../schema.js'
import { offeredMechanisms, offersStartTls } from './hello.js'

/**
 * MAIL (RFC 5321 section 4.1.1.2). It is answered here: which backend has to be asked is known only with the first recipient.
 */
export function mail(dialogue: Dialogue, command: MailCommand): Next {
  const { connector } = dialogue
  if (dialogue.helo === undefined) return dialogue.mistake(REPLIES.helloFirst)
  if (dialogue.envelope !== undefined) return dialogue.mistake(REPLIES.nestedMail)
  if (connector.submission && dialogue.authenticated === undefined) {
    const encryptFirst = offersStartTls(dialogue) && offeredMechanisms(dialogue).length === 0
    return dialogue.mistake(encryptFirst ? REPLIES.startTlsFirst : AUTH_FAILURES['not-authenticated'])
  }
  const read = readParameters(command, connector)
  if ('code' in read) return dialogue.mistake(read)
  if (read.size > connector.maxSize) {
    dialogue.reply(REPLIES.tooBig)
    return 'next'
  }
  dialogue.envelope = read
  dialogue.reply(REPLIES.senderOk)
  return 'next'
}

/** The parameters of RFC 1870, RFC 6152, RFC 6531 and RFC 4954; each is taken only where its extension is offered. */
export function readParameters(command: MailCommand, connector: Connector): Envelope | Reply {
  let size = 0
  let body: Envelope['body']
  let international = false
  for (const [keyword, value] of command.parameters) {
    if (keyword === 'SIZE') {
      if (value === undefined || !/^\d{1,20}$/.test(value)) return REPLIES.badArguments
      size = Number(value)
    } else if (keyword === 'BODY' && connector.extensions.includes('8BITMIME')) {
      const wanted = value?.toUpperCase()
      if (wanted !== '7BIT' && wanted !== '8BITMIME') return REPLIES.badArguments
      body = wanted
    } else if (keyword === 'SMTPUTF8' && connector.extensions.includes('SMTPUTF8')) {
      if (value !== undefined) return REPLIES.badArguments
      international = true
    } else if (keyword === 'AUTH' && connector.submission) {
      // Somebody else's claim about the sender; it is read and not passed on (RFC 4954 section 5).
      if (value === undefined || !XTEXT.test(value)) return REPLIES.badArguments
    } else return REPLIES.unknownParameter
  }
  if (command.mailbox?.international === true && !international) return REPLIES.needsSmtpUtf8
  return { mailbox: command.mailbox, size, body, international, recipients: 0, begun: false, refusal: undefined }
}

const XTEXT = /^(?:<>|(?:[!-*,-<>-~]|\+[0-9A-F]{2})+)$/
