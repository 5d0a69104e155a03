// SPDX-License-Identifier: MIT

/** A timer that has been started. `cancel` is idempotent. */
export interface Timer {
  cancel(): void
}

/** The one source of time. Tests inject a fake. All values are milliseconds. */
export interface Clock {
  /** Monotonic; only differences mean something. */
  now(): number
  /** Since the epoch, for logs, certificates and cookies. */
  wallNow(): number
  /** Runs `fire` once, never early. The timer does not keep the process alive. */
  after(ms: number, fire: () => void): Timer
}

/** setTimeout takes a longer time for none at all. */
const LONGEST_MS = 2 ** 31 - 1

/** Time as the machine tells it. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(ms, fire) {
    let handle: NodeJS.Timeout
    const wait = (left: number): void => {
      const now = Math.min(left, LONGEST_MS)
      handle = setTimeout(() => (left > now ? wait(left - now) : fire()), now)
      handle.unref()
    }
    wait(ms)
    return { cancel: () => clearTimeout(handle) }
  },
}
