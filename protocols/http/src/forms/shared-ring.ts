// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto'
import { NEVER } from '@portico/base'
import type { StateStore } from '@portico/state'
import { type KeyRing, RootSecret } from './key-ring.js'

const DAY = 24 * 3_600_000
const SECRET_OCTETS = 32

/**
 * A ring whose secrets are made by whoever needs one first and shared by way of the store. Each serves one period and is
 * forgotten when nothing that it sealed can be of use, `longest` milliseconds after it was sealed.
 */
export function sharedRing(state: StateStore, longest: number): KeyRing {
  const period = Math.max(DAY, longest)
  const known = new Map<number, Promise<RootSecret | 'unavailable'>>()
  const rootOf = (at: number): Promise<RootSecret | 'unavailable'> => {
    const number = Math.floor(at / period)
    const before = known.get(number)
    if (before !== undefined) return before
    const asked = agree(state, `http-forms:secret:${period}:${number}`, period + 2 * longest)
    known.set(number, asked)
    for (const other of known.keys()) if (Math.abs(other - number) > 2) known.delete(other)
    const forget = (root: RootSecret | 'unavailable') => root === 'unavailable' && known.delete(number)
    asked.then(forget, () => known.delete(number))
    return asked
  }
  return {
    sealing: rootOf,
    async opening(id, at) {
      const root = await rootOf(at)
      return root === 'unavailable' || root.id.equals(id) ? root : undefined
    },
  }
}

/** The secret under this key; ours when there was none. Whoever comes second takes what the first has set. */
async function agree(state: StateStore, key: string, ttlMs: number): Promise<RootSecret | 'unavailable'> {
  for (let tries = 0; tries < 3; tries += 1) {
    const stored = await state.get(key, NEVER)
    if (stored.kind === 'unavailable') return 'unavailable'
    if (stored.kind === 'value') return new RootSecret(stored.value)
    const ours = randomBytes(SECRET_OCTETS)
    const set = await state.compareAndSet(key, undefined, ours, ttlMs, NEVER)
    if (set === 'unavailable') return 'unavailable'
    if (set === 'set') return new RootSecret(ours)
  }
  return 'unavailable'
}
