// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'

/** So many at once are nobody's attack: a browser that leaves a page resets what it has under way. */
const BURST = 200
const PER_SECOND = 20

/**
 * Counts what costs a server more than its client: requests that are reset before they are answered (CVE-2023-44487), PING and
 * SETTINGS that want an answer (CVE-2019-9512, CVE-2019-9515), requests that are none.
 */
export class FloodGauge {
  readonly #clock: Clock
  #left = BURST
  #at: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = clock.now()
  }

  /** One more. False: it is too much. */
  take(): boolean {
    const now = this.#clock.now()
    this.#left = Math.min(BURST, this.#left + ((now - this.#at) / 1000) * PER_SECOND) - 1
    this.#at = now
    return this.#left >= 0
  }
}
