// SPDX-License-Identifier: MIT
import type { Cancellation, Clock } from '@portico/base'

/** For whom a task is done. */
export interface Claimant {
  /** Who waits under one name shares one turn with everybody of that name. */
  readonly share: string
  /** Aborted: nobody wants the result any more, and a task that has not begun never does. */
  readonly signal: Cancellation
}

/** Of one name; the queue as a whole holds many times more. */
const MOST_OF_ONE = 16
/** Who has waited so long has seldom a client left that waits too. */
const LONGEST_MS = 5_000

/**
 * Lets so many tasks run at a time and so many more wait. Shares are served in turn, and each in its own order, so that one that
 * asks for much holds up itself only.
 */
export class Lane {
  readonly #places: number
  readonly #mostWaiting: number
  readonly #clock: Clock
  /** In the order of their turns, none empty. Each entry ends a wait, with a place or without. */
  readonly #shares = new Map<string, Set<(placed: boolean) => void>>()
  #waiting = 0
  #running = 0

  constructor(places: number, mostWaiting: number, clock: Clock) {
    this.#places = places
    this.#mostWaiting = mostWaiting
    this.#clock = clock
  }

  /** `undefined`: the task was not begun, because too many wait already, it waited too long, or the claimant has left. */
  async run<T>(task: () => Promise<T>, claimant: Claimant): Promise<T | undefined> {
    if (claimant.signal.aborted) return undefined
    if (this.#running < this.#places) this.#running += 1
    else if (!(await this.#placed(claimant))) return undefined
    try {
      return await task()
    } finally {
      // A place goes over to who waits, so that nobody comes between.
      const next = this.#next()
      if (next === undefined) this.#running -= 1
      else next(true)
    }
  }

  #placed({ share, signal }: Claimant): Promise<boolean> {
    const own = this.#shares.get(share) ?? new Set()
    if (this.#waiting >= this.#mostWaiting || own.size >= MOST_OF_ONE) return Promise.resolve(false)
    this.#shares.set(share, own)
    this.#waiting += 1
    return new Promise((resolve) => {
      const end = (placed: boolean) => {
        this.#waiting -= 1
        own.delete(end)
        if (own.size === 0) this.#shares.delete(share)
        timer.cancel()
        signal.onAbort = undefined
        resolve(placed)
      }
      own.add(end)
      const timer = this.#clock.after(LONGEST_MS, () => end(false))
      signal.onAbort = () => end(false)
    })
  }

  /** The oldest of the share whose turn it is, which then has its next turn last. */
  #next(): ((placed: boolean) => void) | undefined {
    for (const [share, own] of this.#shares) {
      this.#shares.delete(share)
      this.#shares.set(share, own)
      for (const end of own) return end
    }
    return undefined
  }
}
