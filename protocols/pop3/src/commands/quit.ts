// SPDX-License-Identifier: MIT
import type { CommandHandler } from '../context.js'
import { withoutArguments } from './arguments.js'

/** QUIT before sign-in (RFC 1939 section 4). */
export const quit: CommandHandler = withoutArguments((context) => {
  context.dialogue.write('+OK Bye\r\n')
  return { kind: 'ended', ended: 'logout' }
})
