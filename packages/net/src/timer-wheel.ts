// SPDX-License-Identifier: MIT
import type { Timer } from '@portico/base'

/** One timer for everybody: entries fire within one tick after their time, never before it. */
export interface TimerWheel {
  /** Milliseconds; monotonic. Updated once a tick, so that touching costs one store. */
  readonly now: number
  add(ms: number, fire: () => void): Timer
  /** An entry whose time starts again whenever it is touched. */
  addIdle(ms: number, fire: () => void): IdleTimer
  readonly size: number
  close(): void
}

export interface IdleTimer extends Timer {
  touch(): void
}
