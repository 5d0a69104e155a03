// SPDX-License-Identifier: MIT
import { DONE } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { withoutArguments } from './arguments.js'

/** NOOP (RFC 9051 section 6.1.2). */
export const noop: CommandHandler = withoutArguments((context, { tag }) => {
  context.dialogue.write(`${tag} OK NOOP completed\r\n`)
  return DONE
})
