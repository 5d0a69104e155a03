// SPDX-License-Identifier: MIT
import { CancellationSource, NEVER } from '@portico/base'
import { converse } from '@portico/net'
import type { BackendDriver, BackendPool, Lease } from '@portico/pool'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createToyBackend, type ToyBackend, toyBackendAt, toyDriver } from './toy-backend.js'

/** Makes a pool over real connections that lends at most `max` of them per backend, and waits `acquireMs` for one. */
export type MakePool = (limits: { readonly max: number; readonly acquireMs: number }) => BackendPool

const LIMITS = { max: 2, acquireMs: 5_000 }

/** What every {@link BackendPool} must keep. */
export function backendPoolCompliance(name: string, make: MakePool): void {
  describe(`backend pool: ${name}`, () => {
    lendingTests(make)
    returningTests(make)
    sharingTests(make)
    cancellingTests(make)
  })
}

async function borrow(pool: BackendPool, port: number): Promise<Lease> {
  const acquired = await pool.acquire(toyBackendAt(port), NEVER)
  if (acquired.kind === 'failed') throw acquired.error
  return acquired.lease
}

async function ask(lease: Lease, line: string): Promise<string> {
  const dialogue = converse(lease.leg)
  lease.leg.writeText(`${line}\n`)
  const read = await dialogue.readLine(100, NEVER)
  return read.kind === 'line' ? read.bytes.toString() : read.kind
}

function withDriver(make: MakePool, reuse: BackendDriver['reuse'], limits = LIMITS): BackendPool {
  const pool = make(limits)
  pool.register(toyDriver(reuse))
  return pool
}

function lendingTests(make: MakePool): void {
  test('a lease is connected, prepared, and knows its backend', async () => {
    await using toy = await createToyBackend()
    await using pool = withDriver(make, 'never')
    await using lease = await borrow(pool, toy.port)
    expect([lease.greeting, lease.reused, lease.backend.protocol]).toEqual(['HELLO', false, 'toy'])
    lease.markUsed()
    expect(await ask(lease, 'LOGIN alice')).toBe('OK')
  })

  test('twenty who wait for a closed port learn at once that it is closed, each by itself', async () => {
    const toy = await createToyBackend()
    await toy[Symbol.asyncDispose]()
    await using pool = withDriver(make, 'never', { max: 50, acquireMs: 15_000 })
    const began = performance.now()
    const answers = await Promise.all(Array.from({ length: 20 }, () => pool.acquire(toyBackendAt(toy.port), NEVER)))
    const codes = answers.map((answer) => (answer.kind === 'failed' ? answer.error.code : 'lease'))
    expect(codes.every((code) => code === 'refused' || code === 'breaker-open')).toBe(true)
    expect(codes).toContain('refused')
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  test('when all are lent one waits, and then is told that it is busy', async () => {
    await using toy = await createToyBackend()
    await using pool = withDriver(make, 'never', { max: 1, acquireMs: 150 })
    await using _lease = await borrow(pool, toy.port)
    const answer = await pool.acquire(toyBackendAt(toy.port), NEVER)
    expect(answer.kind === 'failed' ? answer.error.code : 'lease').toBe('busy')
    expect(toy.accepted).toBe(1)
  })

  test('who waits gets the place of a connection that was discarded', async () => {
    await using toy = await createToyBackend()
    await using pool = withDriver(make, 'never', { max: 1, acquireMs: 5_000 })
    const first = await borrow(pool, toy.port)
    const second = borrow(pool, toy.port)
    first.discard()
    await using lease = await second
    expect(lease.reused).toBe(false)
    expect(toy.accepted).toBe(2)
  })
}

function returningTests(make: MakePool): void {
  test.each([
    ['never', 'a used connection of a protocol that cannot take an identity back is closed', 2],
    ['per-request', 'a connection whose requests carry their identity is lent again', 1],
    ['after-reset', 'a connection that the backend has reset is lent again', 1],
  ] as const)('%s: %s', async (reuse, _says, connections) => {
    await using toy = await createToyBackend()
    await using pool = withDriver(make, reuse)
    const first = await borrow(pool, toy.port)
    first.markUsed()
    await ask(first, 'LOGIN alice')
    await first.release()
    await using second = await borrow(pool, toy.port)
    expect(second.reused).toBe(connections === 1)
    expect(toy.accepted).toBe(connections)
  })

  test('a connection whose reset was not confirmed is closed', async () => {
    await using toy = await createToyBackend()
    await using pool = withDriver(make, 'after-reset')
    toy.resetAnswer = 'NO'
    const first = await borrow(pool, toy.port)
    first.markUsed()
    await ask(first, 'LOGIN alice')
    await first.release()
    await using second = await borrow(pool, toy.port)
    expect(second.reused).toBe(false)
  })

  test('a connection that spoke or hung up while nobody had it is not lent', async () => {
    await using toy = await createToyBackend()
    await using pool = withDriver(make, 'per-request')
    for (const spoil of [() => toy.shout('surprise\n'), () => toy.hangUp()]) {
      const lease = await borrow(pool, toy.port)
      lease.markUsed()
      await lease.release()
      const before = toy.accepted
      spoil()
      await expect.poll(() => pool.stats()[0]?.idle).toBe(0)
      const next = await borrow(pool, toy.port)
      expect(next.reused).toBe(false)
      expect(toy.accepted).toBe(before + 1)
      next.discard()
    }
  })

  test('disposal discards, and giving back twice is giving back once', async () => {
    await using toy = await createToyBackend()
    await using pool = withDriver(make, 'per-request', { max: 1, acquireMs: 5_000 })
    const first = await borrow(pool, toy.port)
    await first[Symbol.asyncDispose]()
    await first.release()
    first.discard()
    const second = await borrow(pool, toy.port)
    await second.release()
    await second.release()
    second.discard()
    await using _third = await borrow(pool, toy.port)
    expect(pool.stats()[0]?.lent).toBe(1)
  })
}

/** One loan of a connection that several users share, and how it ends. */
interface Loan {
  readonly questions: number
  readonly ending: 'release' | 'discard' | 'unread'
  readonly resetAnswer: 'OK' | 'NO'
  readonly resetMs: number
  /** Does not wait until the connection has been given back. */
  readonly hurries: boolean
}

const loans: fc.Arbitrary<readonly Loan[]> = fc.array(
  fc.record({
    questions: fc.nat(2),
    ending: fc.constantFrom('release', 'release', 'release', 'discard', 'unread'),
    resetAnswer: fc.constantFrom('OK', 'OK', 'OK', 'NO'),
    resetMs: fc.constantFrom(0, 0, 1, 3),
    hurries: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
)

function sharingTests(make: MakePool): void {
  test('users never share a connection without a confirmed reset between them, nor get it while one is under way', async () => {
    await using toy = await createToyBackend()
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 3 }), loans, loans, async (max, alice, bob) => {
      await using pool = withDriver(make, 'after-reset', { max, acquireMs: 5_000 })
      const met = await Promise.all([shareWith(pool, toy, 'alice', alice), shareWith(pool, toy, 'bob', bob)])
      expect(met.flat()).toEqual([])
      expect(toy.history.filter(isShared)).toEqual([])
    })
    await fc.assert(property, { numRuns: 40 })
  })

  test('a reset that takes its time keeps its place, and nobody who gives back has to wait for it', async () => {
    await using toy = await createToyBackend()
    await using pool = withDriver(make, 'after-reset', { max: 1, acquireMs: 5_000 })
    const first = await borrow(pool, toy.port)
    first.markUsed()
    toy.resetMs = 50
    const given = first.release()
    expect(pool.stats()[0]).toMatchObject({ lent: 1, idle: 0 })
    await using second = await borrow(pool, toy.port)
    await given
    expect([second.reused, second.kept, toy.accepted]).toEqual([true, true, 1])
    expect(toy.history[0]).toEqual(['RESET', '= OK'])
  })

  test('what is noted with a connection is there for its reset, and for the next borrower', async () => {
    await using toy = await createToyBackend()
    await using pool = make(LIMITS)
    const driver = toyDriver('after-reset')
    pool.register<{ said: string[] }>({
      ...driver,
      async prepare(...args) {
        const prepared = await driver.prepare(...args)
        return prepared.kind === 'ready' ? { kind: 'ready', greeting: { said: [] } } : prepared
      },
      async reset(leg, greeting, signal) {
        greeting.said.push('reset')
        return driver.reset?.(leg, 'HELLO', signal) ?? false
      },
    })
    const first = await borrow(pool, toy.port)
    first.markUsed()
    ;(first.greeting as { said: string[] }).said.push('alice')
    await first.release()
    await using second = await borrow(pool, toy.port)
    expect(second.greeting).toEqual({ said: ['alice', 'reset'] })
  })
}

/** Takes one loan after the other, and returns whomever it met on its connections. */
async function shareWith(
  pool: BackendPool,
  toy: ToyBackend,
  user: string,
  loans: readonly Loan[],
): Promise<readonly string[]> {
  const met: string[] = []
  const returning: Promise<void>[] = []
  for (const { questions, ending, resetAnswer, resetMs, hurries } of loans) {
    const lease = await borrow(pool, toy.port)
    lease.markUsed()
    const nobody = await ask(lease, 'WHO here')
    if (nobody !== ' here') met.push(nobody)
    await ask(lease, `LOGIN ${user}`)
    for (let question = 0; question < questions; question++) {
      const answer = await ask(lease, `WHO ${question}`)
      if (answer !== `${user} ${question}`) met.push(answer)
    }
    Object.assign(toy, { resetAnswer, resetMs })
    if (ending === 'unread') lease.leg.writeText('WHO unread\n')
    if (ending === 'discard') lease.discard()
    else returning.push(lease.release())
    if (!hurries) await returning.at(-1)
  }
  await Promise.all(returning)
  return met
}

/** Whether two users were on a connection without a confirmed reset between them, or one while a reset was under way. */
function isShared(history: readonly string[]): boolean {
  let taken = false
  let resetting = false
  for (const event of history) {
    if (resetting && !event.startsWith('= ')) return true
    if (taken && event.startsWith('LOGIN ')) return true
    taken = event.startsWith('LOGIN ') || (taken && event !== '= OK')
    resetting = event === 'RESET'
  }
  return false
}

function cancellingTests(make: MakePool): void {
  test('of a thousand who gave up waiting none is lent anything', async () => {
    await using toy = await createToyBackend()
    await using pool = withDriver(make, 'never', { max: 2, acquireMs: 60_000 })
    const lent = [await borrow(pool, toy.port), await borrow(pool, toy.port)]
    const signals = Array.from({ length: 1_000 }, () => new CancellationSource())
    const waiting = signals.map((signal) => pool.acquire(toyBackendAt(toy.port), signal))
    expect(pool.stats()[0]?.waiting).toBe(1_000)
    for (const signal of signals) signal.abort('closed')
    for (const lease of lent) lease.discard()
    const answers = await Promise.all(waiting)
    expect(answers.filter((answer) => answer.kind === 'lease')).toEqual([])
    expect(pool.stats()[0]).toMatchObject({ lent: 0, idle: 0, waiting: 0 })
    await using _after = await borrow(pool, toy.port)
    expect(toy.accepted).toBe(3)
  })

  test('a connection that is being opened for nobody any more is given up', async () => {
    await using toy = await createToyBackend()
    await using pool = withDriver(make, 'never')
    toy.greeting = undefined
    const signal = new CancellationSource()
    const waiting = pool.acquire(toyBackendAt(toy.port), signal)
    await expect.poll(() => toy.open).toBe(1)
    signal.abort('closed')
    const answer = await waiting
    expect(answer.kind === 'failed' ? answer.error.code : 'lease').toBe('cancelled')
    await expect.poll(() => toy.open).toBe(0)
    expect(pool.stats()[0]?.lent).toBe(0)
  })
}
