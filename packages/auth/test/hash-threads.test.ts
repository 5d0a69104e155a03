// SPDX-License-Identifier: MIT
import type { Worker } from 'node:worker_threads'
import {
  authSchema,
  createAuthenticator,
  createHashThreads,
  createThrottle,
  createUsersFileSource,
} from '@portico/auth'
import { NEVER } from '@portico/base'
import { serverMechanisms } from '@portico/sasl'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { type CryptJob, startHashThread } from '../src/hash/hash-threads.js'
import { readStoredPassword } from '../src/hash/index.js'
import { contextAt, memoryUsersFile, recordingLog } from './helpers.js'

const HELLO = '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1'
const JOB: CryptJob = { algorithm: 'sha512', password: 'Hello world!', salt: 'saltstring', rounds: 5000 }
const ENDLESS: CryptJob = { ...JOB, rounds: 999_999_999 }

/** Threads that the test can get at, in the order of their start. */
function observed(options: { readonly threads?: number; readonly queue?: number } = {}) {
  const started: Worker[] = []
  const start = () => {
    const worker = startHashThread()
    started.push(worker)
    return worker
  }
  return { started, threads: createHashThreads({ threads: 1, ...options, start }) }
}

/** A front desk over one users file, with threads of its own. */
function deskWith(threads: ReturnType<typeof createHashThreads>, accounts = `alice:{SHA512-CRYPT}${HELLO}\n`) {
  const clock = createFakeClock()
  const log = recordingLog()
  const file = memoryUsersFile(accounts)
  const auth = createAuthenticator({
    sources: [createUsersFileSource(file, { hashThreads: threads })],
    mechanisms: serverMechanisms,
    throttle: createThrottle({ settings: authSchema.parse({}), state: createMemoryStore({ clock }), clock }),
    clock,
    log,
  })
  const login = (user: string, password: string, n = 1) =>
    auth.login({ user, password }, contextAt(`192.0.2.${n}`), NEVER)
  return { auth, log, login }
}

async function turnsDuring<T>(work: () => Promise<T>): Promise<{ readonly turns: number; readonly result: T }> {
  let turns = 0
  let running = true
  const turn = () => {
    turns += 1
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  const result = await work()
  running = false
  return { turns, result }
}

describe('hashing passwords', () => {
  test('holds up nobody: while 20 sha512-crypt sign-ins run, the event loop goes round all the time', async () => {
    await using threads = createHashThreads({ threads: 2 })
    const { login } = deskWith(threads)
    await login('alice', 'Hello world!')
    const { turns, result } = await turnsDuring(() =>
      Promise.all(Array.from({ length: 20 }, (_, n) => login('alice', n % 2 === 0 ? 'Hello world!' : 'wrong', n))),
    )
    expect(result.filter(({ kind }) => kind === 'authenticated')).toHaveLength(10)
    expect(result.filter((one) => one.kind === 'failed' && one.reason === 'invalid-credentials')).toHaveLength(10)
    // A hash takes tens of milliseconds, a turn with nothing to do microseconds: hashing here would leave a handful for each.
    expect(turns).toBeGreaterThan(20 * 20)
  })

  test('a thread that dies is no wrong password, and the next one takes its place', async () => {
    const { started, threads } = observed()
    await using _ = threads
    const lost = threads.crypt(ENDLESS)
    const next = threads.crypt(JOB)
    await started[0]?.terminate()
    expect(await lost).toBeUndefined()
    expect(await next).toBe(HELLO.slice('$6$saltstring$'.length))
    expect(started).toHaveLength(2)
  })

  test('an idle thread that dies is replaced when there is work again', async () => {
    const { started, threads } = observed()
    await using _ = threads
    await threads.crypt(JOB)
    await started[0]?.terminate()
    expect(await threads.crypt(JOB)).toBe(HELLO.slice('$6$saltstring$'.length))
    expect(started).toHaveLength(2)
  })

  test('a sign-in during which the thread dies fails as temporary, whether there is such a user or not', async () => {
    for (const user of ['alice', 'nobody']) {
      const { started, threads } = observed()
      await using _ = threads
      const { login, log } = deskWith(
        threads,
        `alice:{SHA512-CRYPT}${HELLO.replace('$6$', `$6$rounds=${ENDLESS.rounds}$`)}\n`,
      )
      const outcome = login(user, 'Hello world!')
      await expect.poll(() => started.length).toBe(1)
      await started[0]?.terminate()
      expect(await outcome).toMatchObject({ kind: 'failed', reason: 'lookup-unavailable', waitMs: 0 })
      expect(log.lines.join()).toContain('no thread is free')
    }
  })

  test('more than the queue holds is turned away as temporary, known user or not', async () => {
    const { threads } = observed({ queue: 1 })
    await using _ = threads
    const { login } = deskWith(threads)
    const running = threads.crypt(ENDLESS)
    const waiting = threads.crypt(JOB)
    for (const user of ['alice', 'nobody']) {
      expect(await login(user, 'Hello world!')).toMatchObject({ kind: 'failed', reason: 'lookup-unavailable' })
    }
    await threads[Symbol.asyncDispose]()
    expect(await Promise.all([running, waiting])).toEqual([undefined, undefined])
  })

  test('threads are started when there is work, no more than allowed, and are used again', async () => {
    const { started, threads } = observed({ threads: 2 })
    await using _ = threads
    expect(started).toHaveLength(0)
    await Promise.all(Array.from({ length: 6 }, () => threads.crypt(JOB)))
    await threads.crypt(JOB)
    expect(started).toHaveLength(2)
  })

  test('a system that gives no thread makes it temporary', async () => {
    const threads = createHashThreads({
      start: () => {
        throw new Error('no more threads')
      },
    })
    expect(await threads.crypt(JOB)).toBeUndefined()
  })

  test.each(['{BLF-CRYPT}$2y$05$CCCCCCCCCCCCCCCCCCCCC.pIKrLVkBX9/OvQMSygY1pWEVn72t6na', `{SHA512-CRYPT}${HELLO}`])(
    'after its end nothing is hashed and no thread lives: %s',
    async (stored) => {
      const { started, threads } = observed()
      await threads.crypt(JOB)
      await threads[Symbol.asyncDispose]()
      const read = readStoredPassword(stored)
      expect(typeof read === 'string' ? read : await read.verify('secret', threads)).toBeUndefined()
      expect(started.map(({ threadId }) => threadId)).toEqual([-1])
    },
  )

  test.each([
    ['BLF-CRYPT', '{BLF-CRYPT}$2y$05$CCCCCCCCCCCCCCCCCCCCC.pIKrLVkBX9/OvQMSygY1pWEVn72t6na'],
    ['PBKDF2', '{PBKDF2}$1$ZJBTsKe4Lxz79q7z$5000$3d41f2ce5f0d33bbf4819f41a07a03aca48f12ae'],
    ['ARGON2ID', '{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'],
    [
      'SCRAM-SHA-1',
      '{SCRAM-SHA-1}4096,g6eYfy/NqVedzMZcgMuG/w==,TUD3nbV7lsbgcNWgDtS8gxEYvv4=,DAS0lJK9O9i7FkKazyeLVDJ8/RQ=',
    ],
  ])(
    '%s leaves half of the libuv threads to others, and is turned away when too much waits',
    async (_label, stored) => {
      await using threads = createHashThreads({ queue: 1 })
      let free = () => {}
      const held = new Promise<void>((resolve) => {
        free = resolve
      })
      const taken = [threads.native(() => held), threads.native(() => held), threads.native(() => held)]
      const read = readStoredPassword(stored)
      expect(typeof read === 'string' ? read : await read.verify('secret', threads)).toBeUndefined()
      free()
      await Promise.all(taken)
      expect(typeof read === 'string' ? read : await read.verify('wrong', threads)).toBe(false)
    },
  )

  test.each(['alice', 'nobody'])('a SCRAM proof of %s for which no thread is free fails as temporary', async (user) => {
    await using threads = createHashThreads({ queue: 0 })
    const { auth } = deskWith(threads, 'alice:{PLAIN}secret\n')
    let free = () => {}
    const held = new Promise<void>((resolve) => {
      free = resolve
    })
    const taken = [threads.native(() => held), threads.native(() => held)]
    await using attempt = auth.begin('SCRAM-SHA-256', contextAt(), NEVER)
    const outcome = await attempt.step(Buffer.from(`n,,n=${user},r=x`))
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'lookup-unavailable' })
    free()
    await Promise.all(taken)
  })
})
