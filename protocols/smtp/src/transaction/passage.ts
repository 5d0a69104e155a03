// SPDX-License-Identifier: MIT
import type { Reply } from '../replies.js'
import type { Fault } from './fault.js'
import type { MessagePump } from './message-pump.js'

/** A message on its way from the client to its backends. */
export interface Passage {
  readonly pump: MessagePump
  /** A chunk that does not complete the message is here: what a backend said of it, if any was sent it. */
  chunkAnswer(): Promise<Reply | Fault | undefined>
  /** The whole message is here: what becomes of each recipient, in the order in which they were accepted. */
  verdicts(): Promise<readonly Reply[] | Fault>
  /** Nobody needs it any more. Idempotent. */
  close(): void
}
