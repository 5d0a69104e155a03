// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import { connectLeg, createTimerWheel } from '@portico/net'
import { type BackendPool, createBackendPool, type Lease, type PoolLimits } from '@portico/pool'
import { silentLog } from '@portico/telemetry'
import {
  createFakeClock,
  createToyBackend,
  type FakeClock,
  type ToyBackend,
  toyBackendAt,
  toyDriver,
  turns,
} from '@portico/testkit'
import { describe, expect, test } from 'vitest'

/** A toy backend with warm connections, on a clock that stands still. */
async function stage(more: Partial<PoolLimits> = {}, policy: object = {}) {
  const clock = createFakeClock()
  const toy = await createToyBackend()
  let attempts = 0
  const connect: typeof connectLeg = (address, options) => {
    attempts += 1
    return connectLeg(address, options)
  }
  const limits = { connectMs: 2_000, maxPerBackend: 8, acquireMs: 1_000, breakerFailures: 2, ...more }
  const wheel = createTimerWheel(clock)
  const pool = createBackendPool({ clock, wheel, log: silentLog, limits, connect, random: () => 0.5 })
  pool.register({ ...toyDriver('never'), warm: true })
  const backend = { ...toyBackendAt(toy.port), pool: { warm: 2, warmMs: 40_000, queue: 9, waitMs: 1_000, ...policy } }
  const borrow = async (fresh = false): Promise<Lease> => {
    const acquired = await pool.acquire(backend, NEVER, { fresh })
    if (acquired.kind === 'failed') throw acquired.error
    return acquired.lease
  }
  return {
    clock,
    toy,
    pool,
    backend,
    borrow,
    attempts: () => attempts,
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]()
      await toy[Symbol.asyncDispose]()
    },
  }
}

const idle = (pool: BackendPool) => pool.stats()[0]?.idle
const until = async (pool: BackendPool, count: number) => expect.poll(() => idle(pool)).toBe(count)

/** The first login is cold; what it leaves behind is warm. */
async function warmed(clock: FakeClock, pool: BackendPool, borrow: () => Promise<Lease>, count = 2): Promise<void> {
  const first = await borrow()
  expect(first.kept).toBe(false)
  first.discard()
  await clock.advance(300)
  await until(pool, count)
}

async function settled(toy: ToyBackend, accepted: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(toy.accepted).toBe(accepted)
}

describe('warm connections', () => {
  test('a login gets one that is ready, and it is replaced, after the login and not before', async () => {
    await using on = await stage()
    await warmed(on.clock, on.pool, on.borrow)
    const before = on.attempts()
    const lease = await on.borrow()
    expect([lease.kept, lease.reused, lease.greeting]).toEqual([true, false, 'HELLO'])
    expect(on.attempts()).toBe(before)
    await on.clock.advance(300)
    await until(on.pool, 2)
    expect(on.attempts()).toBe(before + 1)
    lease.discard()
  })

  test('there are never more than asked for, and none where none is asked for', async () => {
    await using on = await stage()
    await warmed(on.clock, on.pool, on.borrow)
    await on.clock.advance(5_000)
    await settled(on.toy, 3)
    await using off = await stage({}, { warm: 0 })
    ;(await off.borrow()).discard()
    await off.clock.advance(5_000)
    await settled(off.toy, 1)
  })

  test('the limit of the endpoint holds for them too', async () => {
    await using on = await stage({ maxPerBackend: 2 })
    const lent = await on.borrow()
    await on.clock.advance(3_000)
    await until(on.pool, 1)
    await on.clock.advance(3_000)
    await settled(on.toy, 2)
    const second = await on.borrow()
    expect(second.kept).toBe(true)
    lent.discard()
    second.discard()
  })

  test('none rests longer than it may, and they do not all end at once', async () => {
    await using on = await stage()
    await warmed(on.clock, on.pool, on.borrow)
    const opened = on.toy.accepted
    await on.clock.advance(34_000)
    expect(on.toy.accepted).toBe(opened)
    // 40 s, of which at least three quarters: 35 s with this draw.
    await on.clock.advance(1_500)
    await expect.poll(() => on.toy.accepted).toBe(opened + 2)
    await until(on.pool, 2)
    await expect.poll(() => on.toy.open).toBe(2)
  })

  test('one that goes back unused keeps its age', async () => {
    await using on = await stage({}, { warm: 1 })
    await warmed(on.clock, on.pool, on.borrow, 1)
    await on.clock.advance(20_000)
    const lease = await on.borrow()
    await lease.release()
    await on.clock.advance(14_000)
    const again = await on.borrow()
    expect(again.kept).toBe(true)
    await again.release()
    const opened = on.toy.accepted
    await on.clock.advance(1_500)
    await expect.poll(() => on.toy.accepted).toBe(opened + 1)
    await expect.poll(() => on.toy.open).toBe(1)
  })

  test('one that its server has closed is never lent', async () => {
    await using on = await stage()
    await warmed(on.clock, on.pool, on.borrow)
    on.toy.hangUp()
    await until(on.pool, 0)
    const lease = await on.borrow()
    expect([lease.kept, lease.leg.state]).toEqual([false, 'open'])
    lease.discard()
  })

  test('who asks for a fresh one gets none that was ready', async () => {
    await using on = await stage({ maxPerBackend: 2 })
    await warmed(on.clock, on.pool, on.borrow)
    const lease = await on.borrow(true)
    expect(lease.kept).toBe(false)
    // The limit holds: a resting one gave way.
    await expect.poll(() => on.toy.open).toBe(2)
    lease.discard()
  })

  test('a backend that closes them at once is not asked again and again', async () => {
    await using on = await stage()
    await warmed(on.clock, on.pool, on.borrow)
    for (let second = 0; second < 60; second++) {
      on.toy.hangUp()
      await until(on.pool, 0)
      await on.clock.advance(1_000)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(on.attempts()).toBeLessThan(3 + 2 * 8)
  })

  test('when nobody new will come what rests is closed and not replaced, and who is here goes on', async () => {
    await using on = await stage()
    await warmed(on.clock, on.pool, on.borrow)
    const lent = await on.borrow()
    // A replacement is on its way.
    await on.clock.advance(300)
    on.pool.cool()
    await until(on.pool, 0)
    await expect.poll(() => on.toy.open).toBe(1)
    expect(lent.leg.state).toBe('open')
    const later = await on.borrow()
    expect(later.kept).toBe(false)
    const opened = on.toy.accepted
    await later.release()
    await on.clock.advance(120_000)
    await settled(on.toy, opened)
    expect(on.pool.stats()).toMatchObject([{ idle: 0, lent: 1 }])
    lent.discard()
    await expect.poll(() => on.toy.open).toBe(0)
  })

  test('nothing is opened while the breaker is open, and a backend that nobody uses cools down', async () => {
    await using on = await stage()
    await warmed(on.clock, on.pool, on.borrow)
    on.toy.greeting = 'no'
    on.toy.hangUp()
    await until(on.pool, 0)
    const end = { address: '192.0.2.1', port: 1, family: 4 as const }
    const borrower = { id: 's', leg: { facts: { peer: end, local: end, socketPeer: end }, tls: undefined } }
    for (let at = 0; at < 9 && on.pool.stats()[0]?.breaker === 'closed'; at++) {
      await on.pool.acquire(on.backend, NEVER, at % 2 === 0 ? { borrower } : {})
    }
    expect(on.pool.stats()[0]?.breaker).toBe('open')
    const attempts = on.attempts()
    await on.clock.advance(120_000)
    expect(on.attempts()).toBe(attempts)
    on.toy.greeting = 'HELLO'
    ;(await on.borrow()).discard()
    await on.clock.advance(120_000)
    await until(on.pool, 2)
    await on.clock.advance(10 * 60_000)
    await until(on.pool, 0)
    const cooled = on.attempts()
    await on.clock.advance(10 * 60_000)
    expect(on.attempts()).toBe(cooled)
  })
})

describe('what a warm connection saves', () => {
  /** How long a login takes at a backend that is so far away. Only the way counts, on the fake clock: the rest takes no time. */
  async function loginMs(warm: number, oneWayMs: number): Promise<number> {
    const clock = createFakeClock()
    await using toy = await createToyBackend()
    let underWay = 0
    const roundTrip = async (): Promise<void> => {
      underWay += 1
      await new Promise<void>((resolve) => clock.after(2 * oneWayMs, resolve))
      underWay -= 1
    }
    const connect: typeof connectLeg = async (address, options) => {
      await roundTrip()
      return connectLeg(address, options)
    }
    const wheel = createTimerWheel(clock)
    const limits = { connectMs: 5_000, maxPerBackend: 8, acquireMs: 1_000 }
    await using pool = createBackendPool({ clock, wheel, log: silentLog, limits, connect, random: () => 0.5 })
    const driver = toyDriver('never')
    pool.register({
      ...driver,
      warm: true,
      async prepare(leg, backend, signal) {
        // STARTTLS, the handshake, and what is offered afterwards.
        for (let question = 0; question < 3; question++) await roundTrip()
        return driver.prepare(leg, backend, signal)
      },
    })
    const backend = { ...toyBackendAt(toy.port), pool: { warm, warmMs: 40_000, queue: 9, waitMs: 1_000 } }
    const login = async (): Promise<number> => {
      const began = clock.now()
      const acquired = await pool.acquire(backend, NEVER)
      if (acquired.kind === 'failed') throw acquired.error
      await roundTrip()
      acquired.lease.discard()
      return clock.now() - began
    }
    const played = async (): Promise<number> => {
      let ms: number | undefined
      void login().then((taken) => {
        ms = taken
      })
      while (ms === undefined) await (underWay > 0 ? clock.advance(2 * oneWayMs) : turns(1))
      return ms
    }
    await played()
    await clock.advance(300)
    while (pool.stats()[0]?.idle !== warm) await (underWay > 0 ? clock.advance(2 * oneWayMs) : turns(1))
    return await played()
  }

  test('the round trips of connection, greeting and TLS', async () => {
    expect(await loginMs(0, 20)).toBe(5 * 40)
    expect(await loginMs(1, 20)).toBe(40)
  })
})
