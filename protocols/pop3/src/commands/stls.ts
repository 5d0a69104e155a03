// SPDX-License-Identifier: MIT
import { BAD, becomeTls, canStartTls } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { withoutArguments } from './arguments.js'

/**
 * STLS (RFC 2595 section 4). Nothing that was said before is remembered afterwards; a client that has asked for UTF-8 already would
 * not know that, and must not come here (RFC 6856 section 2.1).
 */
export const stls: CommandHandler = withoutArguments((context) => {
  if (!canStartTls(context) || context.wishes.utf8) {
    context.dialogue.write('-ERR STLS is not available\r\n')
    return BAD
  }
  context.user = undefined
  context.wishes.language = undefined
  context.dialogue.write('+OK Begin TLS negotiation\r\n')
  return becomeTls(context)
})
