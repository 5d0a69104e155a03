// SPDX-License-Identifier: MIT
import type { Dialogue, Next } from '../dialogue.js'
import { REPLIES } from '../replies.js'
import { offersStartTls } from './hello.js'

/**
 * STARTTLS (RFC 3207). Octets behind the command were sent by somebody in the middle: the connection is closed and nothing of
 * them is obeyed (CVE-2011-0411). After the handshake everything the client has said is forgotten (section 4.2).
 */
export async function startTls(dialogue: Dialogue): Promise<Next> {
  const { session } = dialogue
  if (session.leg.tls !== undefined) return dialogue.mistake(REPLIES.tlsActive)
  const { tlsAcceptor } = session.listener
  if (!offersStartTls(dialogue) || tlsAcceptor === undefined) return dialogue.mistake(REPLIES.notImplemented)
  if (dialogue.envelope !== undefined) return dialogue.mistake(REPLIES.badSequence)
  if (dialogue.conversation.hasInput) return 'plaintext-behind-starttls'
  dialogue.reply(REPLIES.startTls)
  dialogue.flush()
  const upgraded = await session.leg.upgradeServer(
    tlsAcceptor,
    Buffer.alloc(0),
    'starttls',
    session.services.limits.handshake,
  )
  if (upgraded.kind === 'failed')
    return upgraded.reason === 'plaintext-behind-starttls' ? upgraded.reason : 'tls-failed'
  dialogue.forgetSender()
  return 'next'
}
