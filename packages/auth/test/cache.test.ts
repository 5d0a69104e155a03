// SPDX-License-Identifier: MIT
import { type AuthCache, createAuthCache } from '@portico/auth'
import { Secret } from '@portico/base'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'

const ALICE = { source: 'file', user: 'alice', mechanism: 'PLAIN', epoch: 'e1' }

function setUp(settings = { ttl: 60_000, entries: 100 }) {
  const clock = createFakeClock()
  const cache = createAuthCache(settings, clock)
  let checks = 0
  const ask = (password: string, facts = ALICE, right = true) =>
    cache.prove({ ...facts, password: new Secret(password) }, async () => {
      checks += 1
      return right
    })
  return { clock, cache, ask, checks: () => checks }
}

describe('what was proved lately', () => {
  test('is not proved again for a minute, and then is', async () => {
    const { ask, clock, checks } = setUp()
    expect([await ask('x'), await ask('x')]).toEqual([true, true])
    await clock.advance(59_000)
    await ask('x')
    expect(checks()).toBe(1)
    await clock.advance(2_000)
    await ask('x')
    expect(checks()).toBe(2)
  })

  test.each([
    ['another password', 'y', ALICE],
    ['another user', 'x', { ...ALICE, user: 'bob' }],
    ['another source', 'x', { ...ALICE, source: 'ldap' }],
    ['another mechanism', 'x', { ...ALICE, mechanism: 'LOGIN' }],
    ['a border moved between source and user', 'x', { ...ALICE, source: 'filea', user: 'lice' }],
    ['a new epoch', 'x', { ...ALICE, epoch: 'e2' }],
  ])('%s is another question', async (_label, password, facts) => {
    const { ask } = setUp()
    await ask('x')
    expect(await ask(password, facts, false)).toBe(false)
  })

  test('a changed account forgets the old proof for good', async () => {
    const { ask, cache } = setUp()
    await ask('x')
    await ask('x', { ...ALICE, epoch: 'e2' }, false)
    expect(cache.size).toBe(0)
    expect(await ask('x', ALICE, false)).toBe(false)
  })

  test('a wrong password is never remembered', async () => {
    const { ask, checks, cache } = setUp()
    for (let i = 0; i < 3; i++) expect(await ask('x', ALICE, false)).toBe(false)
    expect([checks(), cache.size]).toEqual([3, 0])
  })

  test('equal questions at the same time are one check', async () => {
    const { ask, checks } = setUp()
    expect(await Promise.all([ask('x'), ask('x'), ask('x')])).toEqual([true, true, true])
    expect(checks()).toBe(1)
  })

  test('a check that throws is asked again', async () => {
    const cache: AuthCache = setUp().cache
    const question = { ...ALICE, password: new Secret('x') }
    await expect(cache.prove(question, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await cache.prove(question, async () => true)).toBe(true)
  })

  test('is bounded', async () => {
    const { ask, cache } = setUp({ ttl: 60_000, entries: 10 })
    for (let i = 0; i < 50; i++) await ask(`p${i}`)
    expect(cache.size).toBe(10)
  })

  test('a time of zero remembers nothing', async () => {
    const { ask, checks } = setUp({ ttl: 0, entries: 10 })
    await ask('x')
    await ask('x')
    expect(checks()).toBe(2)
  })
})
