// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import type { Services } from '@portico/session'
import { expect, test } from 'vitest'
import { mayCount } from '../../src/connector/rate.js'

type By = 'address' | 'user' | 'all'
type Who = readonly [address: string, user?: string]

/** A store that says no to every bucket after its first message, and notes what it is asked for. */
function storeOfOne() {
  const buckets = new Map<string, unknown>()
  const take = async (key: string, cost: number, limits: unknown) => {
    const allowed = !buckets.has(key)
    buckets.set(key, { cost, limits })
    return { allowed, remaining: 0, retryAfterMs: 0 }
  }
  return { buckets, state: { take } as unknown as Services['state'] }
}

async function ask(by: By, whom: readonly Who[]): Promise<boolean[]> {
  const { state } = storeOfOne()
  const connector = { name: 'client', rate: { messages: 1, per: 60_000, by } }
  const told: boolean[] = []
  for (const [address, user] of whom) told.push(await mayCount(connector, { address, user }, state, NEVER))
  return told
}

const KIM: Who = ['a', 'kim']

test.each<[string, By, readonly Who[], readonly boolean[]]>([
  ['those of one address', 'address', [KIM, ['a', 'lee'], ['b', 'kim']], [true, false, true]],
  ['those of one user', 'user', [KIM, ['b', 'kim'], ['a', 'lee']], [true, false, true]],
  ['those of one address without a user', 'user', [['a'], ['a'], ['b'], KIM], [true, false, true, true]],
  ['those of all', 'all', [KIM, ['b', 'lee']], [true, false]],
  ['a user is no address', 'user', [['x'], ['y', 'address x'], ['y', 'x']], [true, true, true]],
])('messages count together: %s', async (_label, by, whom, expected) => {
  expect(await ask(by, whom)).toEqual(expected)
})

test('connectors count apart', async () => {
  const { state } = storeOfOne()
  const rate = { messages: 1, per: 60_000, by: 'all' as const }
  const count = (name: string) => mayCount({ name, rate }, { address: 'a', user: undefined }, state, NEVER)
  expect([await count('client'), await count('inbound'), await count('client')]).toEqual([true, true, false])
})

test('so many at once, and as many again over the time', async () => {
  const { state, buckets } = storeOfOne()
  const rate = { messages: 30, per: 60_000, by: 'all' as const }
  await mayCount({ name: 'client', rate }, { address: 'a', user: undefined }, state, NEVER)
  expect([...buckets.values()]).toEqual([{ cost: 1, limits: { capacity: 30, refillPerSecond: 0.5 } }])
})

test('without a rate nobody is asked', async () => {
  const { state, buckets } = storeOfOne()
  const counts = await mayCount({ name: 'client', rate: undefined }, { address: 'a', user: undefined }, state, NEVER)
  expect([counts, buckets.size]).toEqual([true, 0])
})
