// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import { LRUCache } from 'lru-cache'

/** A map that forgets: the least recently used entry when it is full, and every entry when its time is up. */
export interface Bounded<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  readonly size: number
}

/** `ttlMs` counts from the last `set`. */
export function createBounded<V extends NonNullable<unknown>>(options: {
  readonly max: number
  readonly ttlMs: number
  readonly clock: Clock
}): Bounded<V> {
  const { clock } = options
  const entries = new LRUCache<string, V>({
    max: options.max,
    ttl: options.ttlMs,
    // The package takes a time of exactly 0 for "not yet asked".
    perf: { now: () => clock.now() + 1 },
    ttlResolution: 0,
  })
  return {
    get: (key) => entries.get(key),
    set: (key, value) => void entries.set(key, value),
    delete: (key) => void entries.delete(key),
    get size() {
      return entries.size
    },
  }
}
