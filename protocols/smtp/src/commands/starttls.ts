// SPDX-License-Identifier: MIT
import { becomeTls, canStartTls } from '@portico/session'
import type { Dialogue, Next } from '../dialogue.js'
import { REPLIES } from '../replies.js'

/**
 * STARTTLS (RFC 3207). Octets behind the command were sent by somebody in the middle: the connection is closed and nothing of
 * them is obeyed (CVE-2011-0411). After the handshake everything the client has said is forgotten (section 4.2).
 */
export async function startTls(dialogue: Dialogue): Promise<Next> {
  const { session, client } = dialogue
  if (session.leg.tls !== undefined) return dialogue.mistake(REPLIES.tlsActive)
  if (!canStartTls(dialogue)) return dialogue.mistake(REPLIES.notImplemented)
  if (dialogue.envelope !== undefined) return dialogue.mistake(REPLIES.badSequence)
  if (client.hasInput) return 'plaintext-behind-starttls'
  dialogue.reply(REPLIES.startTls)
  const outcome = await becomeTls({ session, dialogue: client })
  if (outcome.kind === 'ended') return outcome.ended
  dialogue.forgetSender()
  return 'next'
}
