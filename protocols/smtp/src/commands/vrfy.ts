// SPDX-License-Identifier: MIT
import type { Dialogue, Next } from '../dialogue.js'
import { REPLIES } from '../replies.js'

/** VRFY tells nobody which users exist (RFC 5321 section 7.3). */
export function vrfy(dialogue: Dialogue): Next {
  dialogue.reply(REPLIES.cannotVerify)
  return 'next'
}
