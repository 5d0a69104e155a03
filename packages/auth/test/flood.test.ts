// SPDX-License-Identifier: MIT
import {
  authSchema,
  createAuthenticator,
  createHashThreads,
  createThrottle,
  createUsersFileSource,
} from '@portico/auth'
import { CancellationSource, NEVER } from '@portico/base'
import { serverMechanisms } from '@portico/sasl'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { Lane } from '../src/hash/lane.js'
import { contextAt, memoryUsersFile, recordingLog } from './helpers.js'

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** One place, which is taken until `free` is called. */
function busyLane(queue = 256) {
  const clock = createFakeClock()
  const lane = new Lane(1, queue, clock)
  const order: string[] = []
  let free = () => {}
  const held = new Promise<void>((resolve) => {
    free = resolve
  })
  void lane.run(() => held, { share: 'first', signal: NEVER })
  const wait = (name: string, share: string, signal = new CancellationSource()) =>
    lane.run(async () => order.push(name), { share, signal })
  return { clock, order, wait, free: () => free() }
}

describe('work that waits for a thread', () => {
  test('has turns by share, each in its own order', async () => {
    const { order, wait, free } = busyLane()
    const all = [wait('a1', 'a'), wait('a2', 'a'), wait('a3', 'a'), wait('b1', 'b'), wait('c1', 'c'), wait('b2', 'b')]
    free()
    await Promise.all(all)
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  })

  test('is at most 16 of one share; others find room', async () => {
    const { order, wait, free } = busyLane()
    const flood = Array.from({ length: 60 }, () => wait('flood', 'a'))
    const other = wait('other', 'b')
    free()
    expect((await Promise.all(flood)).filter((result) => result === undefined)).toHaveLength(44)
    await other
    expect(order.indexOf('other')).toBe(1)
  })

  test('is given up when its client leaves, and its room is free again', async () => {
    const { order, wait, free } = busyLane(1)
    const leaving = new CancellationSource()
    const left = wait('left', 'a', leaving)
    leaving.abort('closed')
    expect(await left).toBeUndefined()
    expect(await wait('gone before', 'a', leaving)).toBeUndefined()
    const stayed = wait('stayed', 'a')
    free()
    await stayed
    expect(order).toEqual(['stayed'])
  })

  test('is given up after five seconds', async () => {
    const { clock, order, wait, free } = busyLane()
    const late = wait('late', 'a')
    await clock.advance(4_000)
    const stayed = wait('stayed', 'a')
    await clock.advance(1_000)
    expect(await late).toBeUndefined()
    free()
    await stayed
    expect(order).toEqual(['stayed'])
  })
})

/** A front desk whose work runs on libuv's threads, of which the test can take all that sign-ins have. */
function desk(accounts: string, failuresPerAddress = 300) {
  const clock = createFakeClock()
  const threads = createHashThreads({ clock })
  const auth = createAuthenticator({
    sources: [createUsersFileSource(memoryUsersFile(accounts), { hashThreads: threads })],
    mechanisms: serverMechanisms,
    throttle: createThrottle({
      settings: authSchema.parse({ failuresPerAddress }),
      state: createMemoryStore({ clock }),
      clock,
    }),
    clock,
    log: recordingLog(),
  })
  let free = () => {}
  const held = new Promise<void>((resolve) => {
    free = resolve
  })
  const take = () => void [threads.native(() => held), threads.native(() => held)]
  const login = (user: string, address: string, signal = new CancellationSource(), password = 'secret') =>
    auth.login({ user, password }, contextAt(address), signal)
  return { auth, threads, take, free: () => free(), login }
}

const PBKDF2 = 'alice:{PBKDF2}$1$ZJBTsKe4Lxz79q7z$5000$3d41f2ce5f0d33bbf4819f41a07a03aca48f12ae\n'

describe('a flood from one address', () => {
  test('leaves the sign-in of others alone', async () => {
    const { threads, take, free, login } = desk(PBKDF2)
    await using _ = threads
    take()
    const flood = Array.from({ length: 300 }, (_, n) => login(`u${n}`, '192.0.2.7', undefined, `guess ${n}`))
    await settled()
    const owner = login('alice', '192.0.2.8', undefined, 'wrong')
    await settled()
    free()
    expect(await owner).toMatchObject({ reason: 'invalid-credentials' })
    const outcomes = (await Promise.all(flood)).map((one) => (one.kind === 'failed' ? one.reason : one.kind))
    expect(outcomes.filter((reason) => reason === 'lookup-unavailable')).toHaveLength(300 - 16)
  })

  test.each(['alice', 'nobody'])('that leaves before the verdict is throttled, as %s too', async (user) => {
    const { threads, take, free, login } = desk(PBKDF2, 5)
    await using _ = threads
    take()
    for (let n = 0; n < 5; n++) {
      const leaving = new CancellationSource()
      const attempt = login(user, '192.0.2.7', leaving)
      await settled()
      leaving.abort('closed')
      expect(await attempt).toMatchObject({ reason: 'aborted' })
    }
    free()
    expect(await login('bob', '192.0.2.7')).toMatchObject({ reason: 'throttled' })
    expect(await login(user, '192.0.2.8', undefined, 'wrong')).toMatchObject({ reason: 'invalid-credentials' })
  })

  test('whose sessions end for our own reasons is not counted', async () => {
    const { threads, take, free, login } = desk(PBKDF2, 1)
    await using _ = threads
    take()
    const leaving = new CancellationSource()
    const attempt = login('alice', '192.0.2.7', leaving)
    await settled()
    leaving.abort('draining')
    await attempt
    free()
    expect(await login('alice', '192.0.2.7', undefined, 'wrong')).toMatchObject({ reason: 'invalid-credentials' })
  })

  test.each(['alice', 'nobody'])('that gives up at the challenge is throttled, as %s too', async (user) => {
    const { auth, threads } = desk('alice:{PLAIN}secret\n', 3)
    await using _ = threads
    const begin = async () => {
      await using attempt = auth.begin('SCRAM-SHA-256', contextAt(), new CancellationSource())
      return await attempt.step(Buffer.from(`n,,n=${user},r=x`))
    }
    for (let n = 0; n < 3; n++) expect((await begin()).kind).toBe('challenge')
    expect(await begin()).toMatchObject({ kind: 'failed', reason: 'throttled' })
  })
})
