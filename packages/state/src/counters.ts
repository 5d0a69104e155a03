// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import { ExpiringMap } from './expiring-map.js'

/** A counter as one process tells it to another: `leftMs` until it is forgotten. */
export interface CounterState {
  readonly key: string
  readonly sum: number
  readonly leftMs: number
}

interface Counter {
  readonly sum: number
  readonly until: number
}

/** Sums that forget themselves a window after their first increment. */
export class Counters {
  readonly #clock: Clock
  readonly #counters: ExpiringMap<Counter>
  readonly #watchers = new Set<(changed: CounterState) => void>()

  constructor(clock: Clock, maxKeys: number) {
    this.#clock = clock
    this.#counters = new ExpiringMap(clock, maxKeys)
  }

  sum(key: string): number {
    return this.#counters.get(key)?.sum ?? 0
  }

  add(key: string, by: number, windowMs: number): number {
    const before = this.#counters.get(key)
    // Asking for the sum begins no window and takes no place.
    if (by === 0) return before?.sum ?? 0
    const now = this.#clock.now()
    const until = before?.until ?? now + windowMs
    const sum = (before?.sum ?? 0) + by
    this.#counters.set(key, { sum, until }, until)
    for (const told of this.#watchers) told({ key, sum, leftMs: until - now })
    return sum
  }

  /** What another process has counted replaces what is known here. */
  put({ key, sum, leftMs }: CounterState): void {
    const until = this.#clock.now() + leftMs
    this.#counters.set(key, { sum, until }, until)
  }

  /** All that are remembered. */
  states(): CounterState[] {
    const now = this.#clock.now()
    return [...this.#counters.entries()].map(([key, { sum, until }]) => ({ key, sum, leftMs: until - now }))
  }

  /** Told of every change made here from now on. */
  watch(told: (changed: CounterState) => void): Disposable {
    this.#watchers.add(told)
    return { [Symbol.dispose]: () => void this.#watchers.delete(told) }
  }
}
