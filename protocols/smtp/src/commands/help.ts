// SPDX-License-Identifier: MIT
import type { Dialogue, Next } from '../dialogue.js'
import { REPLIES } from '../replies.js'

/** HELP (RFC 5321 section 4.1.1.8). */
export function help(dialogue: Dialogue): Next {
  dialogue.reply(REPLIES.help)
  return 'next'
}
