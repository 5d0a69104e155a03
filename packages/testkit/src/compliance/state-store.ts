// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import type { StateStore } from '@portico/state'
import { describe, expect, test } from 'vitest'

/** A store and the time it lives by. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: StateStore
  /** Lets so many milliseconds pass. */
  pass(ms: number): Promise<void>
}

const bytes = (text: string) => Uint8Array.from(Buffer.from(text))
const ALL = Uint8Array.from({ length: 256 }, (_, octet) => octet)

/** What every {@link StateStore} must keep while it is there. */
export function stateStoreCompliance(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`state store: ${name}`, () => {
    countingTests(make)
    valueTests(make)
    leaseTests(make)
    topicTests(make)
  })
}

function countingTests(make: () => Promise<StoreUnderTest>): void {
  test('a counter adds up and forgets itself a window after its first increment', async () => {
    await using under = await make()
    const { store, pass } = under
    expect(await store.increment('failures', 1, 1_000, NEVER)).toBe(1)
    await pass(600)
    expect(await store.increment('failures', 2, 1_000, NEVER)).toBe(3)
    await pass(600)
    expect(await store.increment('failures', 1, 1_000, NEVER)).toBe(1)
  })

  test('asking for a sum by adding 0 begins no window', async () => {
    await using under = await make()
    const { store, pass } = under
    expect(await store.increment('asked', 0, 1_000, NEVER)).toBe(0)
    await pass(600)
    expect(await store.increment('asked', 1, 1_000, NEVER)).toBe(1)
    await pass(600)
    expect(await store.increment('asked', 0, 1_000, NEVER)).toBe(1)
  })

  test('increments at one moment lose none', async () => {
    await using under = await make()
    const sums = await Promise.all(Array.from({ length: 50 }, () => under.store.increment('n', 1, 1_000, NEVER)))
    expect([...sums].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
  })

  test('keys that differ beyond 512 octets are different keys', async () => {
    await using under = await make()
    const long = 'x'.repeat(600)
    await under.store.increment(`${long}a`, 5, 1_000, NEVER)
    expect(await under.store.increment(`${long}b`, 1, 1_000, NEVER)).toBe(1)
    expect(await under.store.increment(`${long}a`, 1, 1_000, NEVER)).toBe(6)
  })

  test('a bucket gives what it holds, says how long to wait, and refills', async () => {
    await using under = await make()
    const { store, pass } = under
    const limits = { capacity: 10, refillPerSecond: 2 }
    expect(await store.take('b', 8, limits, NEVER)).toEqual({ allowed: true, remaining: 2, retryAfterMs: 0 })
    const refused = await store.take('b', 4, limits, NEVER)
    expect(refused.allowed).toBe(false)
    expect(refused.remaining).toBeCloseTo(2, 1)
    expect(Math.abs(refused.retryAfterMs - 1_000)).toBeLessThan(50)
    await pass(1_000)
    expect((await store.take('b', 4, limits, NEVER)).allowed).toBe(true)
  })
}

function valueTests(make: () => Promise<StoreUnderTest>): void {
  test('a value comes back octet for octet, until its time is up or it is removed', async () => {
    await using under = await make()
    const { store, pass } = under
    expect(await store.get('k', NEVER)).toEqual({ kind: 'absent' })
    expect(await store.set('k', ALL, 1_000, NEVER)).toBe(true)
    expect(await store.get('k', NEVER)).toEqual({ kind: 'value', value: ALL })
    await pass(1_100)
    expect(await store.get('k', NEVER)).toEqual({ kind: 'absent' })
    await store.set('k', new Uint8Array(0), 0, NEVER)
    await pass(10_000)
    expect(await store.get('k', NEVER)).toEqual({ kind: 'value', value: new Uint8Array(0) })
    expect(await store.expire('k', NEVER)).toBe(true)
    expect(await store.get('k', NEVER)).toEqual({ kind: 'absent' })
  })

  test('a caller that changes its octets afterwards changes nothing', async () => {
    await using under = await make()
    const mine = bytes('ban')
    await under.store.set('k', mine, 0, NEVER)
    mine.fill(0)
    expect(await under.store.get('k', NEVER)).toEqual({ kind: 'value', value: bytes('ban') })
  })

  test('compare-and-set has one winner', async () => {
    await using under = await make()
    const { store } = under
    const tries = ['a', 'b', 'c'].map((text) => store.compareAndSet('k', undefined, bytes(text), 0, NEVER))
    expect((await Promise.all(tries)).sort()).toEqual(['differs', 'differs', 'set'])
    const stored = await store.get('k', NEVER)
    const value = stored.kind === 'value' ? stored.value : undefined
    expect(await store.compareAndSet('k', value, bytes('next'), 0, NEVER)).toBe('set')
    expect(await store.compareAndSet('k', bytes('other'), bytes('late'), 0, NEVER)).toBe('differs')
    expect(await store.get('k', NEVER)).toEqual({ kind: 'value', value: bytes('next') })
  })

  test('a value over 64 KiB is refused', async () => {
    await using under = await make()
    await expect(under.store.set('k', new Uint8Array(65_537), 0, NEVER)).rejects.toThrow(RangeError)
    expect(await under.store.set('k', new Uint8Array(65_536), 0, NEVER)).toBe(true)
  })
}

function leaseTests(make: () => Promise<StoreUnderTest>): void {
  test('a lease is held by one, as long as it is renewed, and can be given back', async () => {
    await using under = await make()
    const { store, pass } = under
    const held = await store.lease('leader', 1_000, NEVER)
    expect(held).toBeDefined()
    expect(await store.lease('leader', 1_000, NEVER)).toBeUndefined()
    await pass(700)
    expect(await held?.renew(NEVER)).toBe(true)
    await pass(700)
    expect(await store.lease('leader', 1_000, NEVER)).toBeUndefined()
    await held?.[Symbol.asyncDispose]()
    expect(await store.lease('leader', 1_000, NEVER)).toBeDefined()
  })

  test('a lost lease cannot be renewed, nor given back over its new holder', async () => {
    await using under = await make()
    const { store, pass } = under
    const old = await store.lease('leader', 1_000, NEVER)
    await pass(1_100)
    expect(await store.lease('leader', 60_000, NEVER)).toBeDefined()
    expect(await old?.renew(NEVER)).toBe(false)
    await old?.[Symbol.asyncDispose]()
    expect(await store.lease('leader', 1_000, NEVER)).toBeUndefined()
  })
}

function topicTests(make: () => Promise<StoreUnderTest>): void {
  test('subscribers hear messages of their topic in order, until they leave', async () => {
    await using under = await make()
    const { store, pass } = under
    const heard: string[] = []
    const subscription = store.subscribe('kick', (message) => heard.push(Buffer.from(message).toString()))
    store.subscribe('flush', () => heard.push('another topic'))
    for (const text of ['1', '2', '3']) expect(await store.publish('kick', bytes(text), NEVER)).toBe(true)
    await pass(10)
    expect(heard).toEqual(['1', '2', '3'])
    subscription[Symbol.dispose]()
    await store.publish('kick', bytes('4'), NEVER)
    await pass(10)
    expect(heard).toEqual(['1', '2', '3'])
  })
}
