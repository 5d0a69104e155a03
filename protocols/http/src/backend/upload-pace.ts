// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'

/**
 * Watches over the pace of a request's body, so that nobody keeps a place at a backend with a few octets now and then. Of each
 * window a part has to have come; time for which we did not let the client send does not count. Asked when octets come: that
 * none come at all is for whoever watches the silence.
 */
export class UploadPace {
  readonly #clock: Clock
  readonly #windowMs: number
  readonly #least: number
  #began: number
  #octets = 0
  #heldSince: number | undefined

  /** `rate` is in octets a second. */
  constructor(clock: Clock, windowMs: number, rate: number) {
    this.#clock = clock
    this.#windowMs = windowMs
    this.#least = (rate * windowMs) / 1_000
    this.#began = clock.now()
  }

  /** Octets came. False: too few in too long a time. */
  came(octets: number): boolean {
    this.#octets += octets
    const now = this.#clock.now()
    if (now - this.#began < this.#windowMs) return true
    const enough = this.#octets >= this.#least
    this.#began = now
    this.#octets = 0
    return enough
  }

  /** The client may not send. */
  hold(): void {
    this.#heldSince ??= this.#clock.now()
  }

  /** It may again. */
  go(): void {
    if (this.#heldSince === undefined) return
    this.#began += this.#clock.now() - this.#heldSince
    this.#heldSince = undefined
  }
}
