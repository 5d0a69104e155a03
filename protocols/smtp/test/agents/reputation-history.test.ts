// SPDX-License-Identifier: MIT

import { NEVER } from '@portico/base'
import { createMemoryStore, type StateStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { type Found, NO_HISTORY, ratingOf, type Seen, srlOf } from '../../src/agents/reputation/history.js'
import { ReputationMemory } from '../../src/agents/reputation/memory.js'
import { countIn, isBlocked, readSlot, slotOf, writeSlot } from '../../src/agents/reputation/slot.js'

const DAY = 86_400_000
const RULES = { from: 20, threshold: 7, window: DAY, blockFor: DAY }
const BAD: Seen = { rating: 9, badHello: false, nameless: false }
const GOOD: Seen = { rating: 0, badHello: false, nameless: false }

describe('the level of a client', () => {
  test.each<
    [label: string, messages: number, rating: number, badHellos: number, nameless: number, srl: number | undefined]
  >([
    ['nothing is known', 0, 0, 0, 0, undefined],
    ['one message too few', 19, 171, 19, 19, undefined],
    ['as many as it takes, all good', 20, 0, 0, 0, 0],
    ['all bad', 20, 180, 0, 0, 9],
    ['all bad in every way', 20, 180, 20, 20, 9],
    ['a bad name behind EHLO alone', 100, 0, 100, 0, 2],
    ['an address without a name alone', 100, 0, 0, 100, 1],
    ['both, and no spam', 100, 0, 100, 100, 3],
    ['half of it spam', 100, 450, 0, 0, 5],
    ['half of it spam, and a bad name', 100, 450, 100, 0, 7],
    ['half of it spam, and both', 100, 450, 100, 100, 8],
    ['doubtful mail', 100, 500, 0, 0, 5],
    ['doubtful mail, and both', 100, 500, 100, 100, 8],
    ['a tenth of it spam', 1_000, 900, 0, 0, 1],
    ['three quarters of it spam', 100, 675, 0, 0, 7],
  ])('%s', (_label, messages, rating, badHellos, nameless, srl) => {
    expect(srlOf({ messages, rating, badHellos, nameless }, 20)).toBe(srl)
  })

  test.each<[label: string, accepted: boolean, found: Found, scl: number | undefined, rating: number | undefined]>([
    ['taken', true, 'nothing', undefined, 0],
    ['taken with a level', true, 'nothing', 4, 4],
    ['taken, and no spam for certain', true, 'nothing', -1, 0],
    ['taken with a mark', true, 'something', undefined, 5],
    ['taken with a mark and a level', true, 'something', 6, 6],
    ['taken for some recipients, refused for others', true, 'too-much', undefined, 5],
    ['refused for what was found', false, 'too-much', 3, 9],
    ['failed for no fault of the client', false, 'nothing', undefined, undefined],
    ['with a mark that failed for no fault of the client', false, 'something', 6, undefined],
  ])('a message %s', (_label, accepted, found, scl, rating) => {
    expect(ratingOf(accepted, found, scl)).toBe(rating)
  })
})

describe('a slot', () => {
  const after = (count: number, seen: Seen = BAD, now = 0) => {
    let state = countIn([], 'a', seen, RULES, now)
    for (let at = 1; at < count; at += 1) state = countIn(state.clients, 'a', seen, RULES, now)
    return state
  }

  test('the twentieth bad message blocks, and what follows is counted no more', () => {
    expect(after(19)).toMatchObject({ newlyBlocked: undefined, clients: [{ history: { messages: 19 } }] })
    expect(after(20)).toMatchObject({ newlyBlocked: 9, clients: [{ blockedUntil: DAY, history: NO_HISTORY }] })
    expect(after(30)).toMatchObject({ newlyBlocked: undefined, clients: [{ blockedUntil: DAY, history: NO_HISTORY }] })
  })

  test('good messages block nobody', () => {
    expect(after(100, GOOD).clients).toMatchObject([{ blockedUntil: 0, history: { messages: 100 } }])
  })

  test('a block ends at its time, and the client begins anew', () => {
    const { clients } = after(20)
    expect(isBlocked(clients, 'a', DAY - 1)).toBe(true)
    expect(isBlocked(clients, 'a', DAY)).toBe(false)
    expect(countIn(clients, 'a', BAD, RULES, DAY)).toMatchObject({
      newlyBlocked: undefined,
      clients: [{ blockedUntil: 0, since: DAY, history: { messages: 1 } }],
    })
  })

  test('messages count for their time', () => {
    const { clients } = after(19)
    expect(countIn(clients, 'a', BAD, RULES, DAY - 1).newlyBlocked).toBe(9)
    expect(countIn(clients, 'a', BAD, RULES, DAY).clients).toMatchObject([{ history: { messages: 1 } }])
  })

  test('it holds 32 clients: the blocked ones, and those of whom most is known', () => {
    let { clients } = after(20)
    for (let at = 0; at < 3; at += 1) clients = countIn(clients, 'known', GOOD, RULES, 0).clients
    for (let at = 0; at < 500; at += 1) clients = countIn(clients, `flood ${at}`, BAD, RULES, 0).clients
    expect(clients).toHaveLength(32)
    expect(isBlocked(clients, 'a', 1)).toBe(true)
    expect(clients.find(({ name }) => name === 'known')?.history.messages).toBe(3)
    expect(clients.at(-1)?.name).toBe('flood 499')
  })

  test('is read as it was written', () => {
    const { clients } = countIn(after(5).clients, '2001:db8::/64', GOOD, RULES, 7)
    expect(readSlot(writeSlot(clients))).toEqual(clients)
  })

  test.each(['', 'nonsense', '{}', '[[1]]', '[["a",0,0,-1,0,0,0]]'])('%j holds nobody', (text) => {
    expect(readSlot(Buffer.from(text))).toEqual([])
  })

  test('there are 1,024 of them, however many clients come', () => {
    const slots = new Set(Array.from({ length: 20_000 }, (_, at) => slotOf(`2001:db8:0:${at.toString(16)}/64`)))
    expect(slots.size).toBe(1_024)
  })
})

describe('what is remembered', () => {
  function memory(state: StateStore, clock = createFakeClock()) {
    const told: string[] = []
    const options = {
      state,
      clock,
      rules: RULES,
      blocked: (client: string, level: number) => void told.push(`${client} ${level}`),
    }
    const made = new ReputationMemory({
      ...options,
      failed: (error) => {
        throw error
      },
    })
    return { memory: made, told, count: (client: string, seen = BAD) => made.count(client, async () => seen) }
  }

  /** A store that can be cut off. */
  function cuttable(state: StateStore) {
    const cut = { away: false }
    const store: StateStore = {
      ...state,
      get: async (key, signal) => (cut.away ? { kind: 'unavailable' } : state.get(key, signal)),
      compareAndSet: async (...all) => (cut.away ? 'unavailable' : state.compareAndSet(...all)),
    }
    return { cut, store }
  }

  test('two processes count together, one of them tells, and both know', async () => {
    const state = createMemoryStore({ clock: createFakeClock() })
    const [one, other] = [memory(state), memory(state)]
    await Promise.all(Array.from({ length: 10 }, () => [one.count('a'), other.count('a')]).flat())
    expect([...one.told, ...other.told]).toEqual(['a 9'])
    expect(await one.memory.isBlocked('a', NEVER)).toBe(true)
    expect(await other.memory.isBlocked('a', NEVER)).toBe(true)
    expect(await other.memory.isBlocked('b', NEVER)).toBe(false)
  })

  test('while the store is away, blocks hold, and counting goes on here', async () => {
    const { cut, store } = cuttable(createMemoryStore({ clock: createFakeClock() }))
    const { memory: kept, count, told } = memory(store)
    await Promise.all(Array.from({ length: 20 }, () => count('a')))
    cut.away = true
    expect(await kept.isBlocked('a', NEVER)).toBe(true)
    await Promise.all(Array.from({ length: 20 }, () => count('b')))
    expect(await kept.isBlocked('b', NEVER)).toBe(true)
    expect(told).toEqual(['a 9', 'b 9'])
    cut.away = false
    expect(await kept.isBlocked('a', NEVER)).toBe(true)
    expect(await kept.isBlocked('b', NEVER)).toBe(false)
  })

  test('more messages than can be counted are not kept waiting', async () => {
    const { memory: kept } = memory(createMemoryStore({ clock: createFakeClock() }))
    let looked = 0
    let go = () => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const counted = Array.from({ length: 3_000 }, () =>
      kept.count('a', async () => {
        looked += 1
        await gate
        return GOOD
      }),
    )
    go()
    await Promise.all(counted)
    expect(looked).toBe(1_000)
  })
})
