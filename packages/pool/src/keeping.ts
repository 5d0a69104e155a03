// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'

/** A connection that its server ends within this time, in milliseconds, was not kept. */
const AT_ONCE_MS = 1_000
/** So many one after the other are no accident. */
const ENOUGH = 3
/** After this time, in milliseconds, it is tried again with one. */
const RETRY_MS = 10_000

/**
 * Learns whether a backend keeps connections that have served. Some end them behind each answer without having said so, and whoever
 * asks on one just then gets no answer: what must not be asked twice (RFC 9110 section 9.2.2) has failed.
 */
export class Keeping {
  readonly #clock: Clock
  #ended = 0
  #until = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A connection that has served may be put by for the next. */
  get worthwhile(): boolean {
    return this.#clock.now() >= this.#until
  }

  /** One has ended that had rested so long, and might have rested so long; in milliseconds. */
  ended(restedMs: number, mostMs: number): void {
    this.#ended = restedMs < Math.min(AT_ONCE_MS, mostMs / 2) ? this.#ended + 1 : 0
    if (this.#ended >= ENOUGH) this.#until = this.#clock.now() + RETRY_MS
  }
}
