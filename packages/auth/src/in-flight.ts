// SPDX-License-Identifier: MIT
import type { Cancellation, Clock } from '@portico/base'

/** An attempt that has not ended by then never will: its session is long gone. */
const LONGEST_MS = 120_000

interface Flight {
  readonly began: Set<{ readonly at: number }>
  readonly waiting: Set<() => void>
}

/** The attempts that are being looked at in this process, by key. Holds nothing of a key once its last attempt has ended. */
export class InFlight {
  readonly #clock: Clock
  readonly #flights = new Map<string, Flight>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  count(key: string): number {
    const flight = this.#flights.get(key)
    if (flight === undefined) return 0
    const oldest = this.#clock.now() - LONGEST_MS
    for (const attempt of flight.began) if (attempt.at < oldest) flight.began.delete(attempt)
    return flight.began.size
  }

  /** One more attempt, until the returned function is called. */
  enter(key: string): () => void {
    const flight = this.#flightOf(key)
    const attempt = { at: this.#clock.now() }
    flight.began.add(attempt)
    return () => {
      flight.began.delete(attempt)
      for (const wake of flight.waiting) wake()
      this.#forget(key, flight)
    }
  }

  /** Resolves when an attempt of this key has ended, or the signal is aborted. */
  oneEnds(key: string, signal: Cancellation): Promise<void> {
    const flight = this.#flightOf(key)
    return new Promise((resolve) => {
      const wake = () => {
        signal.onAbort = undefined
        flight.waiting.delete(wake)
        this.#forget(key, flight)
        resolve()
      }
      flight.waiting.add(wake)
      signal.onAbort = wake
    })
  }

  #flightOf(key: string): Flight {
    let flight = this.#flights.get(key)
    if (flight === undefined) {
      flight = { began: new Set(), waiting: new Set() }
      this.#flights.set(key, flight)
    }
    return flight
  }

  #forget(key: string, flight: Flight): void {
    if (flight.began.size === 0 && flight.waiting.size === 0 && this.#flights.get(key) === flight)
      this.#flights.delete(key)
  }
}
