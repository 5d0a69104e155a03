// SPDX-License-Identifier: MIT
import { REPLIES, type Reply } from '../replies.js'

/** Why a message is not ended at its backends, and what its sender is told. */
export interface Fault {
  readonly why: FaultReason
  readonly reply: Reply
  /** The reply is the session's last word. */
  readonly close: boolean
}

export type FaultReason =
  | 'bare-line-end'
  | 'nul'
  | 'too-big'
  | 'header-too-big'
  | 'loop'
  | 'backend-lost'
  | 'backend-refused'
  | 'agent'
  | 'no-room'
  | 'out-of-order'

const REPLY: Readonly<Record<Exclude<FaultReason, 'agent' | 'backend-refused'>, Reply>> = {
  'bare-line-end': REPLIES.bareLineEnd,
  nul: REPLIES.nul,
  'too-big': REPLIES.tooBig,
  'header-too-big': REPLIES.headerTooBig,
  loop: REPLIES.loop,
  'backend-lost': REPLIES.backendTrouble,
  'no-room': REPLIES.noRoom,
  'out-of-order': REPLIES.badSequence,
}

/** A fault that has one reply. */
export function faultOf(why: keyof typeof REPLY): Fault {
  return { why, reply: REPLY[why], close: false }
}

/** A fault in somebody else's words. */
export function faultWith(why: 'agent' | 'backend-refused', reply: Reply, close = false): Fault {
  return { why, reply, close }
}
