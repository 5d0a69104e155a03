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

/** Time as the machine tells it. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(ms, fire) {
    const handle = setTimeout(fire, ms)
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}
