// SPDX-License-Identifier: MIT
import type { Dialogue, Next } from '../dialogue.js'
import { REPLIES } from '../replies.js'

/** RSET (RFC 5321 section 4.1.1.5). Our word holds whatever the backend says to its own RSET: it is dropped if it disagrees. */
export async function rset(dialogue: Dialogue): Promise<Next> {
  await dialogue.resetTransaction()
  dialogue.reply(REPLIES.ok)
  return 'next'
}
