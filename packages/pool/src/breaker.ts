// SPDX-License-Identifier: MIT
import type { BackendError, BackendPhase, Clock } from '@portico/base'

const LONGEST_MS = 60_000

/**
 * Passive breaker of one backend. Opens after so many failures to connect in a row, and then lets one attempt through after a
 * time that is spread at random, so that a fleet does not come back in one moment. Only what the backend does to everybody
 * counts: a refused user never opens it.
 */
export class Breaker {
  readonly #clock: Clock
  readonly #threshold: number
  readonly #firstMs: number
  readonly #random: () => number
  #failures = 0
  #openMs = 0
  #reopens = 0
  #trial = false

  constructor(clock: Clock, threshold: number, firstMs: number, random: () => number) {
    this.#clock = clock
    this.#threshold = threshold
    this.#firstMs = firstMs
    this.#random = random
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#failures < this.#threshold) return 'closed'
    return this.#clock.now() < this.#reopens ? 'open' : 'half-open'
  }

  /** Nothing is held against the backend. */
  get quiet(): boolean {
    return this.#failures === 0
  }

  /** May a connection be tried now? True must be followed by exactly one `settle`. */
  admit(): boolean {
    const { state } = this
    if (state === 'closed') return true
    if (state === 'open' || this.#trial) return false
    this.#trial = true
    return true
  }

  /** How the admitted attempt went: without an error, or with one. */
  settle(error: BackendError | undefined): void {
    this.#trial = false
    if (error === undefined) {
      this.#failures = 0
      this.#openMs = 0
    } else if (counts(error)) {
      this.#failures += 1
      if (this.#failures >= this.#threshold) this.#open()
    }
  }

  #open(): void {
    this.#openMs = this.#openMs === 0 ? this.#firstMs : Math.min(this.#openMs * 2, LONGEST_MS)
    this.#reopens = this.#clock.now() + this.#openMs * (0.5 + this.#random())
  }
}

const COUNTED: ReadonlySet<BackendPhase> = new Set(['connect', 'tls', 'greeting'])

function counts(error: BackendError): boolean {
  return COUNTED.has(error.phase) && error.code !== 'cancelled' && error.code !== 'cleartext-forbidden'
}
