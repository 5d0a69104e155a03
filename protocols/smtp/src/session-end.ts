// SPDX-License-Identifier: MIT
import type { ReadEnd } from '@portico/net'
import type { Ended } from '@portico/session'
import type { Dialogue } from './dialogue.js'
import { REPLIES } from './replies.js'

/** Why nothing more comes from the client. */
export function endOf(dialogue: Dialogue, end: ReadEnd): Ended {
  if (end.kind === 'ended') {
    if (end.why.kind === 'idle' || end.why.kind === 'deadline') return end.why.kind
    return 'client-closed'
  }
  if (end.kind === 'peer-ended') return 'client-closed'
  const { reason } = dialogue.session.signal
  if (reason === 'draining') return dialogue.dismiss(REPLIES.draining, 'draining')
  if (reason === 'deadline') return dialogue.dismiss(REPLIES.timeout, 'deadline')
  return 'client-closed'
}
