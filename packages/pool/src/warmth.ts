// SPDX-License-Identifier: MIT
import type { Clock, Timer } from '@portico/base'
import type { TimerWheel } from '@portico/net'

/** A backend that nobody has signed in at for so long cools down. */
const IN_USE_MS = 5 * 60_000
/** A refill comes within this time, spread at random: never in the way of the login that made it necessary. */
const REFILL_MS = 200
/** After a failure the next try is this far away at first; it doubles up to a minute. */
const RETRY_MS = 1_000
const LONGEST_RETRY_MS = 60_000

export interface WarmthOptions {
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly random: () => number
  /** How many are to stand ready. */
  readonly target: number
  /** How many do. */
  readonly ready: () => number
  /** Opens one more; false when that was not possible. Never rejects. */
  readonly open: () => Promise<boolean>
}

/** Keeps a number of connections ready while their backend is in use. */
export class Warmth {
  readonly #options: WarmthOptions
  #usedAt = Number.NEGATIVE_INFINITY
  #retryMs = 0
  #opening = 0
  #timer: Timer | undefined
  #stopped = false

  constructor(options: WarmthOptions) {
    this.#options = options
  }

  /** Somebody signs in. */
  used(): void {
    this.#usedAt = this.#options.clock.now()
    this.refill()
  }

  /** One may be missing: looks after it a little later. */
  refill(): void {
    const { clock, wheel, random, target } = this.#options
    if (this.#stopped || this.#timer !== undefined || this.#missing <= 0) return
    if (clock.now() - this.#usedAt > IN_USE_MS || target === 0) return
    const ms = this.#retryMs === 0 ? REFILL_MS * random() : this.#retryMs * (0.5 + random())
    this.#timer = wheel.add(ms, () => {
      this.#timer = undefined
      for (let missing = this.#missing; missing > 0; missing--) void this.#openOne()
    })
  }

  /** One that stood ready was lent, or has rested as long as it may: the backend keeps them. */
  proved(): void {
    this.#retryMs = 0
    this.refill()
  }

  /** One could not be opened, or was ended early: the backend is left alone for longer and longer. */
  failed(): void {
    // Several that fail together are one failure: the first has set the next time.
    if (this.#timer === undefined) {
      this.#retryMs = Math.min(LONGEST_RETRY_MS, Math.max(RETRY_MS, this.#retryMs * 2))
    }
    this.refill()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#timer = undefined
  }

  get #missing(): number {
    return this.#options.target - this.#options.ready() - this.#opening
  }

  async #openOne(): Promise<void> {
    this.#opening += 1
    const opened = await this.#options.open()
    this.#opening -= 1
    if (opened) this.refill()
    else this.failed()
  }
}
