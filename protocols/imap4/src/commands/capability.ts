// SPDX-License-Identifier: MIT
import { DONE } from '@portico/session'
import { capabilities } from '../capabilities.js'
import type { CommandHandler } from '../context.js'
import { withoutArguments } from './arguments.js'

/** CAPABILITY (RFC 9051 section 6.1.1). */
export const capability: CommandHandler = withoutArguments((context, { tag }) => {
  context.dialogue.write(`* CAPABILITY ${capabilities(context)}\r\n${tag} OK CAPABILITY completed\r\n`)
  return DONE
})
