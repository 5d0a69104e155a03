// SPDX-License-Identifier: MIT
import type { Dialogue, Next } from '../dialogue.js'
import { REPLIES } from '../replies.js'

/** NOOP (RFC 5321 section 4.1.1.9). */
export function noop(dialogue: Dialogue): Next {
  dialogue.reply(REPLIES.ok)
  return 'next'
}
