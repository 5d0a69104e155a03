// SPDX-License-Identifier: MIT
import { BAD, becomeTls, canStartTls } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { withoutArguments } from './arguments.js'

/** STARTTLS (RFC 9051 section 6.2.1). Nothing that was said before is remembered afterwards. */
export const starttls: CommandHandler = withoutArguments((context, { tag }) => {
  if (!canStartTls(context)) {
    context.dialogue.write(`${tag} BAD STARTTLS is not available\r\n`)
    return BAD
  }
  context.clientId = new Map()
  context.dialogue.write(`${tag} OK Begin TLS negotiation now\r\n`)
  return becomeTls(context)
})
