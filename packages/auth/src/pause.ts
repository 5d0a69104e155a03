// SPDX-License-Identifier: MIT
import type { Cancellation, Clock } from '@portico/base'

/** Waits so many milliseconds; ends early when the session does. */
export function pause(ms: number, clock: Clock, signal: Cancellation): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = clock.after(ms, () => {
      signal.onAbort = undefined
      resolve()
    })
    signal.onAbort = () => {
      timer.cancel()
      resolve()
    }
  })
}
