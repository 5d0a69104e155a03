// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'

/** Read at every call: a reload may change it. */
export interface RateRule {
  /** So many at once, and so many in a second after that. */
  readonly perSecond: number
}

/** Addresses of which a process knows how much they have sent; the one that has been silent longest is forgotten first. */
const MOST_ADDRESSES = 10_000

interface Bucket {
  left: number
  at: number
}

/** Token buckets by key, in bounded memory: who is forgotten begins anew with a full one. */
export class RateTable {
  readonly #rule: RateRule
  readonly #clock: Clock
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(rule: RateRule, clock: Clock) {
    this.#rule = rule
    this.#clock = clock
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes one token; false when there is none. */
  take(key: string): boolean {
    const now = this.#clock.now()
    const { perSecond } = this.#rule
    const known = this.#buckets.get(key)
    const left = known === undefined ? perSecond : refilled(known, now, perSecond)
    this.#buckets.delete(key)
    if (this.#buckets.size >= MOST_ADDRESSES) this.#forgetOne()
    this.#buckets.set(key, { left: left >= 1 ? left - 1 : left, at: now })
    return left >= 1
  }

  #forgetOne(): void {
    const [oldest] = this.#buckets.keys()
    if (oldest !== undefined) this.#buckets.delete(oldest)
  }
}

function refilled({ left, at }: Bucket, now: number, perSecond: number): number {
  return Math.min(perSecond, left + ((now - at) / 1_000) * perSecond)
}
