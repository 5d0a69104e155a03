// SPDX-License-Identifier: MIT
import type { CommandHandler } from '../context.js'
import { withoutArguments } from './arguments.js'

/** LOGOUT (RFC 9051 section 6.1.3). */
export const logout: CommandHandler = withoutArguments((context, { tag }) => {
  context.dialogue.write(`* BYE Signing out\r\n${tag} OK LOGOUT completed\r\n`)
  return { kind: 'ended', ended: 'logout' }
})
