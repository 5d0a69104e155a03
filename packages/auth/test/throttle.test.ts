// SPDX-License-Identifier: MIT
import { authSchema, createThrottle } from '@portico/auth'
import { CancellationSource, NEVER, Secret } from '@portico/base'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { clientAt } from './helpers.js'

function setUp(written: Record<string, unknown> = {}) {
  const clock = createFakeClock()
  const state = createMemoryStore({ clock })
  const throttle = createThrottle({ settings: authSchema.parse(written), state, clock })
  let guesses = 0
  return {
    clock,
    throttle,
    /** `count` different wrong passwords; the delays. */
    async guess(count: number, user = 'alice', address = '192.0.2.7', networks: string[] = []) {
      const delays: number[] = []
      for (let i = 0; i < count; i++) {
        const suspect = { user, client: clientAt(address, { networks }) }
        delays.push(await throttle.failed(suspect, new Secret(`guess ${guesses++}`)))
      }
      return delays
    },
    admitted: async (user = 'alice', address = '192.0.2.7') =>
      (await throttle.admit({ user, client: clientAt(address) }, NEVER)).kind === 'admitted',
  }
}

describe('throttle', () => {
  test('answers to wrong passwords are held back 0, 2, 4, 8 and then 15 seconds', async () => {
    expect(await setUp().guess(6)).toEqual([0, 2_000, 4_000, 8_000, 15_000, 15_000])
  })

  test('a device that repeats one old password counts once', async () => {
    const { throttle } = setUp()
    const suspect = { user: 'alice', client: clientAt() }
    for (let i = 0; i < 50; i++) expect(await throttle.failed(suspect, new Secret('from before'))).toBe(0)
    expect(await throttle.failed(suspect, new Secret('another'))).toBe(2_000)
  })

  test('after ten different ones nothing is looked at, until the window ends', async () => {
    const { guess, admitted, clock } = setUp()
    await guess(9)
    expect(await admitted()).toBe(true)
    await guess(1)
    expect(await admitted()).toBe(false)
    expect(await admitted('ALICE')).toBe(false)
    await clock.advance(600_000)
    expect(await admitted()).toBe(true)
  })

  test('guesses sent at one moment are looked at only as far as they may still fail', async () => {
    const { throttle } = setUp()
    const suspect = { user: 'alice', client: clientAt() }
    let looked = 0
    const guess = async (number: number) => {
      const admission = await throttle.admit(suspect, new CancellationSource())
      if (admission.kind === 'throttled') return
      looked += 1
      await new Promise((resolve) => setImmediate(resolve))
      await throttle.failed(suspect, new Secret(`guess ${number}`))
      admission.done()
    }
    await Promise.all(Array.from({ length: 100 }, (_, number) => guess(number)))
    expect(looked).toBe(10)
  })

  test('a device that opens many connections at once gets all of them', async () => {
    const { throttle } = setUp()
    const suspect = { user: 'alice', client: clientAt() }
    const signIn = async () => {
      const admission = await throttle.admit(suspect, new CancellationSource())
      if (admission.kind === 'throttled') throw new Error('throttled')
      await new Promise((resolve) => setImmediate(resolve))
      await throttle.succeeded(suspect, admission.failures)
      admission.done()
    }
    await Promise.all(Array.from({ length: 100 }, signIn))
  })

  test('who waits for others to end and leaves meanwhile is not looked at', async () => {
    const { throttle } = setUp({ failuresPerUserAndAddress: 1 })
    const suspect = { user: 'alice', client: clientAt() }
    expect((await throttle.admit(suspect, NEVER)).kind).toBe('admitted')
    const leaving = new CancellationSource()
    const waiting = throttle.admit(suspect, leaving)
    await new Promise((resolve) => setImmediate(resolve))
    leaving.abort('closed')
    expect((await waiting).kind).toBe('throttled')
  })

  test('an attempt that never ended stops counting after two minutes', async () => {
    const { throttle, clock } = setUp({ failuresPerUserAndAddress: 1 })
    const suspect = { user: 'alice', client: clientAt() }
    await throttle.admit(suspect, NEVER)
    await clock.advance(120_001)
    expect((await throttle.admit(suspect, NEVER)).kind).toBe('admitted')
  })

  test('the owner at another address, and others at the same one, are not affected', async () => {
    const { guess, admitted, throttle } = setUp()
    await guess(10)
    expect(await admitted('alice', '192.0.2.8')).toBe(true)
    expect(await admitted('bob')).toBe(true)
    const bob = { user: 'bob', client: clientAt() }
    expect(await throttle.failed(bob, new Secret('typo'))).toBe(0)
  })

  test('an IPv6 client is its /64 (RFC 4291 section 2.5.1)', async () => {
    const { guess, admitted } = setUp()
    await guess(5, 'alice', '2001:db8:0:1::1')
    await guess(5, 'alice', '2001:db8:0:1:ffff:ffff:ffff:ffff')
    expect(await admitted('alice', '2001:DB8::1:0:0:0:9')).toBe(false)
    expect(await admitted('alice', '2001:db8:0:2::1')).toBe(true)
  })

  test('one password tried on many accounts is slowed down and then stopped at its address', async () => {
    const { throttle, admitted } = setUp({ failuresPerAddress: 50 })
    const delays: number[] = []
    for (let i = 0; i < 50; i++) {
      delays.push(await throttle.failed({ user: `user${i}`, client: clientAt() }, new Secret('summer')))
    }
    expect(delays.slice(0, 16)).toEqual([...Array(11).fill(0), 2_000, 4_000, 8_000, 15_000, 15_000])
    expect(await admitted('somebody')).toBe(false)
    expect(await admitted('somebody', '192.0.2.8')).toBe(true)
  })

  test('an exempt network is counted per user only', async () => {
    const { guess, throttle } = setUp({ exemptNetworks: ['webmail'], failuresPerAddress: 5 })
    for (const user of ['a', 'b', 'c']) await guess(5, user, '192.0.2.7', ['webmail'])
    const suspect = (user: string) => ({ user, client: clientAt('192.0.2.7', { networks: ['webmail'] }) })
    expect((await throttle.admit(suspect('d'), NEVER)).kind).toBe('admitted')
    expect(await throttle.failed(suspect('a'), new Secret('x'))).toBe(15_000)
  })

  test('a success makes the next mistake a first one', async () => {
    const { guess, throttle } = setUp()
    await guess(4)
    const suspect = { user: 'alice', client: clientAt() }
    const admission = await throttle.admit(suspect, NEVER)
    expect(admission).toMatchObject({ kind: 'admitted', failures: 4 })
    await throttle.succeeded(suspect, 4)
    expect(await guess(2)).toEqual([0, 2_000])
  })

  test('attempts that nobody waited for count for their address, not for the user, and not in an exempt network', async () => {
    const { throttle, admitted, guess } = setUp({ failuresPerAddress: 20, exemptNetworks: ['webmail'] })
    const leave = (networks: string[]) =>
      throttle.abandoned({ user: 'alice', client: clientAt(undefined, { networks }) })
    for (let i = 0; i < 30; i++) await leave(['webmail'])
    for (let i = 0; i < 2; i++) await leave([])
    expect(await guess(1)).toEqual([0])
    for (let i = 0; i < 17; i++) await leave([])
    expect(await admitted('bob')).toBe(false)
    expect(await admitted('alice', '192.0.2.8')).toBe(true)
  })
})
