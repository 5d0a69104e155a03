// SPDX-License-Identifier: MIT
import type { LegReader } from '@portico/net'
import type { Connection } from './connection.js'

/**
 * Guards a connection that nobody has borrowed: an octet that nobody asked for, an end, or too long a rest destroys it. `gone` is
 * called once when that happens. Returns how to take it from the shelf.
 */
export function watchIdle({ leg }: Connection, idleMs: number, gone: () => void): () => void {
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
      gone()
    },
  }
  leg.setReader(reader)
  leg.setIdle(idleMs)
  leg.resume()
  return () => {
    leg.setIdle(0)
    leg.pause()
  }
}
