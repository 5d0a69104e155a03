// SPDX-License-Identifier: MIT
import { canStartTls } from '../capabilities.js'
import { BAD, type CommandHandler, DONE } from '../context.js'
import { withoutArguments } from './arguments.js'

/**
 * STLS (RFC 2595 section 4). Nothing that was said before is remembered afterwards, and octets that came behind the command in
 * the clear end the session unread.
 */
export const stls: CommandHandler = withoutArguments(async (context) => {
  if (!canStartTls(context)) {
    context.dialogue.write('-ERR STLS is not available\r\n')
    return BAD
  }
  context.user = undefined
  context.dialogue.write('+OK Begin TLS negotiation\r\n')
  const result = await context.dialogue.upgrade()
  if (result.kind === 'secure') return DONE
  const injected = result.reason === 'plaintext-behind-starttls'
  return { kind: 'ended', ended: injected ? 'plaintext-behind-starttls' : 'tls-failed' }
})
