// SPDX-License-Identifier: MIT
import type { Dialogue, Next } from '../dialogue.js'
import { REPLIES } from '../replies.js'

/** EXPN is not given (RFC 5321 section 7.3). */
export function expn(dialogue: Dialogue): Next {
  return dialogue.mistake(REPLIES.notImplemented)
}
