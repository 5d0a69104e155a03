// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'

/** One reply of RFC 5321 section 4.2. `enhanced` (RFC 3463) goes in front of each line of `text`. */
export interface Reply {
  readonly code: number
  readonly enhanced?: string
  readonly lines: readonly [string, ...string[]]
}

/** A reply of one line with its enhanced status code. */
export function say(code: number, enhanced: string, text: string): Reply {
  return { code, enhanced, lines: [text] }
}

const CONTROLS = /[\x00-\x1f\x7f]/g

/** The octets of a reply, one character each. Line ends and controls inside the text cannot get through. */
export function formatReply({ code, enhanced, lines }: Reply): string {
  const last = lines.length - 1
  const prefix = enhanced === undefined ? '' : `${enhanced} `
  let text = ''
  for (const [at, line] of lines.entries())
    text += `${code}${at === last ? ' ' : '-'}${prefix}${line.replace(CONTROLS, '?')}\r\n`
  return text
}

/** Replies that are always the same. */
export const REPLIES = {
  ok: say(250, '2.0.0', 'OK'),
  nobodyLeft: say(550, '5.7.1', 'Message refused by policy for all its recipients'),
  discarded: say(250, '2.0.0', 'Message accepted'),
  senderOk: say(250, '2.1.0', 'Sender OK'),
  bye: say(221, '2.0.0', 'Bye'),
  startTls: say(220, '2.0.0', 'Ready to start TLS'),
  authenticated: say(235, '2.7.0', 'Authentication successful'),
  startMail: { code: 354, lines: ['Start mail input; end with <CRLF>.<CRLF>'] },
  cannotVerify: say(252, '2.0.0', 'Cannot VRFY user, but will accept the message and attempt delivery'),
  help: say(214, '2.0.0', 'See RFC 5321'),
  syntax: say(500, '5.5.2', 'Syntax error, command unrecognized'),
  badLineEnd: say(500, '5.5.2', 'Lines must end with CRLF'),
  lineTooLong: say(500, '5.5.2', 'Line too long'),
  badArguments: say(501, '5.5.4', 'Syntax error in parameters or arguments'),
  badSender: say(501, '5.1.7', 'Bad sender address syntax'),
  badRecipient: say(501, '5.1.3', 'Bad recipient address syntax'),
  notImplemented: say(502, '5.5.1', 'Command not implemented'),
  badSequence: say(503, '5.5.1', 'Bad sequence of commands'),
  otherHello: say(500, '5.5.1', 'EHLO is for SMTP, LHLO for LMTP'),
  helloFirst: say(503, '5.5.1', 'Send EHLO first'),
  alreadyAuthenticated: say(503, '5.5.1', 'Already authenticated'),
  tlsActive: say(503, '5.5.1', 'TLS is already active'),
  nestedMail: say(503, '5.5.1', 'Sender already specified'),
  mailFirst: say(503, '5.5.1', 'Send MAIL first'),
  noRecipients: say(554, '5.5.1', 'No valid recipients'),
  unknownParameter: say(555, '5.5.4', 'Unsupported parameter'),
  needsSmtpUtf8: say(553, '5.6.7', 'Internationalized address without SMTPUTF8'),
  startTlsFirst: say(530, '5.7.0', 'Must issue a STARTTLS command first'),
  mayNotSubmit: say(550, '5.7.1', 'Not authorized to send mail here'),
  notYourSender: say(550, '5.7.1', 'Not authorized to send as this sender'),
  noProxy: say(550, '5.7.0', 'Not authorized to use XCLIENT'),
  noConnector: say(554, '5.7.1', 'No service for you here'),
  relayDenied: say(550, '5.7.1', 'Relaying denied'),
  tooBig: say(552, '5.3.4', 'Message too big'),
  tooManyRecipients: say(452, '4.5.3', 'Too many recipients'),
  tooManyMessages: say(450, '4.7.1', 'Too many messages, try again later'),
  otherRoute: say(452, '4.5.3', 'Send this recipient in a separate transaction'),
  bareLineEnd: say(550, '5.6.0', 'Message contains bare CR or LF'),
  nul: say(550, '5.6.0', 'Message contains NUL'),
  loop: say(554, '5.4.6', 'Too many hops'),
  noEightBit: say(554, '5.6.3', 'Cannot deliver 8-bit content to this recipient'),
  noBinary: say(554, '5.6.1', 'Cannot deliver binary content to this recipient'),
  noRequireTls: say(550, '5.7.30', 'REQUIRETLS support required'),
  noNotify: say(555, '5.5.4', 'Cannot notify about this recipient'),
  badChunk: say(501, '5.5.4', 'Syntax: BDAT size [LAST]'),
  chunkFailed: say(503, '5.5.1', 'A chunk of this message was refused, send RSET'),
  headerTooBig: say(552, '5.3.4', 'Header section too big'),
  noRoom: say(452, '4.3.1', 'Insufficient system storage'),
  chunkEndless: say(552, '5.3.4', 'Message too big, closing connection'),
  noSmtpUtf8: say(553, '5.6.7', 'Cannot deliver to this recipient with SMTPUTF8'),
  backendTrouble: say(451, '4.3.0', 'Temporary server error, try again later'),
  timeout: say(421, '4.4.2', 'Timeout, closing connection'),
  draining: say(421, '4.3.2', 'Service shutting down, try again later'),
  tooManyErrors: say(421, '4.7.0', 'Too many errors'),
  tooManyFailures: say(421, '4.7.0', 'Too many failed sign-ins'),
  notSmtp: say(554, '5.5.1', 'This is an SMTP server'),
  agentAway: say(421, '4.3.2', 'Service not available, try again later'),
  misconfigured: say(421, '4.3.5', 'Service not available'),
} as const satisfies Record<string, Reply>

const UNAVAILABLE = say(454, '4.7.0', 'Temporary authentication failure')
const INVALID = say(535, '5.7.8', 'Authentication credentials invalid')
const DISABLED = say(525, '5.7.13', 'User account disabled')

/** What AUTH says for each failure (RFC 4954 sections 4 and 6, RFC 5248). */
export const AUTH_FAILURES: Readonly<Record<FailureReason, Reply>> = {
  'invalid-credentials': INVALID,
  'unauthorized-identity': INVALID,
  'password-expired': INVALID,
  'account-disabled': DISABLED,
  'protocol-disabled': DISABLED,
  'network-refused': INVALID,
  'encryption-required': say(538, '5.7.11', 'Encryption required for requested authentication mechanism'),
  'not-authenticated': say(530, '5.7.0', 'Authentication required'),
  'mechanism-unavailable': say(504, '5.5.4', 'Unrecognized authentication type'),
  malformed: say(501, '5.5.2', 'Cannot decode response'),
  aborted: say(501, '5.7.0', 'Authentication aborted'),
  'too-long': say(500, '5.5.6', 'Authentication exchange line is too long'),
  throttled: say(454, '4.7.0', 'Too many attempts, try again later'),
  'lookup-unavailable': UNAVAILABLE,
  'backend-unavailable': UNAVAILABLE,
  'no-mailbox': INVALID,
  draining: REPLIES.draining,
  'server-bug': UNAVAILABLE,
}

const TROUBLE = REPLIES.backendTrouble
const REFUSED = say(550, '5.7.1', 'Delivery not authorized')

/** What RCPT says when the way to the recipient's backend fails (RFC 5321 section 4.2.3, RFC 3463). */
export const RECIPIENT_FAILURES: Readonly<Record<FailureReason, Reply>> = {
  'invalid-credentials': TROUBLE,
  'unauthorized-identity': TROUBLE,
  'password-expired': TROUBLE,
  'account-disabled': say(550, '5.2.1', 'Mailbox disabled'),
  'protocol-disabled': say(550, '5.2.1', 'Mailbox disabled'),
  'network-refused': REFUSED,
  'encryption-required': REPLIES.startTlsFirst,
  'not-authenticated': say(530, '5.7.0', 'Authentication required'),
  'mechanism-unavailable': TROUBLE,
  malformed: REPLIES.badRecipient,
  aborted: TROUBLE,
  'too-long': REPLIES.lineTooLong,
  throttled: say(451, '4.7.1', 'Too many messages, try again later'),
  'lookup-unavailable': TROUBLE,
  'backend-unavailable': TROUBLE,
  'no-mailbox': say(550, '5.1.1', 'User unknown'),
  draining: say(451, '4.3.2', 'Service shutting down, try again later'),
  'server-bug': TROUBLE,
}
