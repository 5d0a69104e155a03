// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import { type Bucket, takeFrom } from './bucket.js'
import { Counters } from './counters.js'
import { ExpiringMap } from './expiring-map.js'
import { boundKey, checkValue, sameValue } from './keys.js'
import type { Held, StateStore, Stored } from './store.js'
import { Topics } from './topics.js'

export interface MemoryStoreOptions {
  readonly clock: Clock
  /** Keys of each kind (counters, buckets, values, leases) that are kept: 100,000 when absent. The next to expire goes first. */
  readonly maxKeys?: number
}

/** The store of one process, whose counters others may follow. */
export interface MemoryStore extends StateStore {
  readonly counters: Counters
}

/** The store of one process. It is never away. Kinds are bounded apart, so that a flood of counters pushes no ban out. */
export function createMemoryStore({ clock, maxKeys = 100_000 }: MemoryStoreOptions): MemoryStore {
  const counters = new Counters(clock, maxKeys)
  const buckets = new ExpiringMap<Bucket>(clock, maxKeys)
  const values = new ExpiringMap<Uint8Array>(clock, maxKeys)
  const leases = new ExpiringMap<symbol>(clock, maxKeys)
  const topics = new Topics()
  const after = (ms: number) => (ms === 0 ? Number.POSITIVE_INFINITY : clock.now() + ms)
  const put = (key: string, value: Uint8Array, ttlMs: number) => {
    checkValue(value)
    values.set(boundKey(key), Uint8Array.from(value), after(ttlMs))
  }

  return {
    counters,
    increment: async (key, by, windowMs) => counters.add(boundKey(key), by, windowMs),
    async take(bucket, cost, limits) {
      const name = boundKey(bucket)
      const taken = takeFrom(buckets.get(name), cost, limits, clock.now())
      // A full bucket is the same as none.
      buckets.set(name, taken.bucket, clock.now() + taken.fullInMs)
      return taken.state
    },
    async get(key): Promise<Stored> {
      const value = values.get(boundKey(key))
      return value === undefined ? { kind: 'absent' } : { kind: 'value', value: Uint8Array.from(value) }
    },
    async set(key, value, ttlMs) {
      put(key, value, ttlMs)
      return true
    },
    async compareAndSet(key, expected, value, ttlMs) {
      if (!sameValue(values.get(boundKey(key)), expected)) return 'differs'
      put(key, value, ttlMs)
      return 'set'
    },
    async expire(key) {
      values.delete(boundKey(key))
      return true
    },
    async lease(key, ttlMs) {
      return holdIn(leases, boundKey(key), () => after(ttlMs))
    },
    async publish(topic, message) {
      checkValue(message)
      topics.publish(topic, message)
      return true
    },
    subscribe: (topic, listener) => topics.subscribe(topic, listener),
    async [Symbol.asyncDispose]() {
      topics.clear()
    },
  }
}

function holdIn(leases: ExpiringMap<symbol>, name: string, until: () => number): Held | undefined {
  if (leases.get(name) !== undefined) return undefined
  const holder = Symbol(name)
  leases.set(name, holder, until())
  return {
    async renew() {
      if (leases.get(name) !== holder) return false
      leases.set(name, holder, until())
      return true
    },
    async [Symbol.asyncDispose]() {
      if (leases.get(name) === holder) leases.delete(name)
    },
  }
}
