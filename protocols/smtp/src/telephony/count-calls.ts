// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { Services } from '@portico/session'

type Store = Pick<Services['state'], 'get' | 'compareAndSet'>

/** So many in a window of time; windows begin at whole multiples of their length since 1970. */
export interface CallLimit {
  readonly most: number
  readonly windowMs: number
}

/** `full`: there have been as many as there may be. `unavailable`: nobody knows how many there have been. */
export type Counted = 'counted' | 'full' | 'unavailable'

/** Others count at the same time; that many times in a row it is a fault. */
const MOST_TRIES = 20

/**
 * Counts one call. Unlike other counters, which go on by themselves while the store is away, it then counts nothing: each worker and
 * node would let through as much as all together may.
 */
export async function countCall(
  state: Store,
  key: string,
  { most, windowMs }: CallLimit,
  now: number,
  signal: Cancellation,
): Promise<Counted> {
  const name = `${key} ${windowMs} ${Math.floor(now / windowMs)}`
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const stored = await state.get(name, signal)
    if (stored.kind === 'unavailable') return 'unavailable'
    const present = stored.kind === 'value' ? stored.value : undefined
    const calls = present === undefined ? 0 : Number(Buffer.from(present).toString())
    // What is no number was not written here: nobody knows what has been counted.
    if (!Number.isSafeInteger(calls)) return 'unavailable'
    if (calls >= most) return 'full'
    const set = await state.compareAndSet(name, present, Buffer.from(String(calls + 1)), windowMs, signal)
    if (set !== 'differs') return set === 'set' ? 'counted' : 'unavailable'
  }
  return 'unavailable'
}
