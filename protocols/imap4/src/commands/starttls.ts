// SPDX-License-Identifier: MIT
import { canStartTls } from '../capabilities.js'
import { BAD, type CommandHandler, DONE } from '../context.js'
import { withoutArguments } from './arguments.js'

/**
 * STARTTLS (RFC 9051 section 6.2.1). Nothing that was said before is remembered afterwards, and octets that came behind the
 * command in the clear end the session unread.
 */
export const starttls: CommandHandler = withoutArguments(async (context, { tag }) => {
  if (!canStartTls(context)) {
    context.dialogue.write(`${tag} BAD STARTTLS is not available\r\n`)
    return BAD
  }
  context.session.hops = 0
  context.dialogue.write(`${tag} OK Begin TLS negotiation now\r\n`)
  const result = await context.dialogue.upgrade()
  if (result.kind === 'secure') return DONE
  const injected = result.reason === 'plaintext-behind-starttls'
  return { kind: 'ended', ended: injected ? 'plaintext-behind-starttls' : 'tls-failed' }
})
