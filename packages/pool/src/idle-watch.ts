// SPDX-License-Identifier: MIT
import type { LegReader, TimerWheel } from '@portico/net'
import type { Connection } from './connection.js'

/** How a resting connection ends. */
export interface RestRules {
  readonly wheel: TimerWheel
  /** Longest rest, milliseconds. */
  readonly ms: number
  /** It has rested so long: destroys it. */
  readonly over: () => void
  /** Called once when it has ended, whoever did that. */
  readonly gone: () => void
}

/**
 * Guards a connection that nobody has borrowed: an octet that nobody asked for, an end, or too long a rest destroys it. Returns how
 * to take it from the shelf.
 */
export function watchIdle({ leg }: Connection, { wheel, ms, over, gone }: RestRules): () => void {
  const limit = wheel.add(ms, over)
  const reader: LegReader = {
    onBytes(view) {
      leg.destroy()
      return view.length
    },
    onDrain() {},
    onPeerEnd() {
      leg.destroy()
    },
    onEnd() {
      limit.cancel()
      gone()
    },
  }
  leg.setReader(reader)
  leg.resume()
  return () => {
    limit.cancel()
    leg.pause()
  }
}
