// SPDX-License-Identifier: MIT
import type { Dialogue, Next } from '../dialogue.js'
import { REPLIES } from '../replies.js'

/** QUIT (RFC 5321 section 4.1.1.10). */
export function quit(dialogue: Dialogue): Next {
  return dialogue.dismiss(REPLIES.bye, 'logout')
}
