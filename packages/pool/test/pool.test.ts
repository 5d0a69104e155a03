// SPDX-License-Identifier: MIT
import { CancellationSource, NEVER, networksOf, systemClock } from '@portico/base'
import { connectLeg, createTimerWheel } from '@portico/net'
import { type BackendPoolOptions, type Borrower, createBackendPool, type PoolLimits } from '@portico/pool'
import { silentLog } from '@portico/telemetry'
import { backendPoolCompliance, createToyBackend, toyBackendAt, toyDriver } from '@portico/testkit'
import { describe, expect, test } from 'vitest'

const wheel = createTimerWheel(systemClock)

function poolOf(limits: Partial<PoolLimits> = {}, more: Partial<BackendPoolOptions> = {}) {
  const all = { connectMs: 2_000, maxPerBackend: 4, acquireMs: 1_000, ...limits }
  return createBackendPool({ clock: systemClock, wheel, log: silentLog, limits: all, ...more })
}

backendPoolCompliance('generic', ({ max, acquireMs }) => poolOf({ maxPerBackend: max, acquireMs }))

const borrowerAt = (address: string): Borrower => {
  const end = { address, port: 4711, family: 4 as const }
  return { id: 's7', leg: { facts: { peer: end, local: end, socketPeer: end }, tls: undefined } }
}

const codeOf = (answer: Awaited<ReturnType<ReturnType<typeof poolOf>['acquire']>>) =>
  answer.kind === 'failed' ? `${answer.error.phase} ${answer.error.code}` : 'lease'

describe('what a backend can do wrong', () => {
  test.each([
    ['greets nobody', undefined, 'greeting timed-out'],
    ['talks garbage', 'SSH-2.0-x', 'greeting garbage'],
  ])('a backend that %s', async (_says, greeting, expected) => {
    await using toy = await createToyBackend()
    toy.greeting = greeting
    await using pool = poolOf({ connectMs: 300 })
    pool.register(toyDriver('never'))
    expect(codeOf(await pool.acquire(toyBackendAt(toy.port), NEVER))).toBe(expected)
    await expect.poll(() => toy.open).toBe(0)
  })

  test('a driver that throws costs one acquire, and not the pool', async () => {
    await using toy = await createToyBackend()
    await using pool = poolOf()
    let faults = 1
    const driver = toyDriver('never')
    pool.register({
      ...driver,
      prepare: (...args) => {
        if (faults-- > 0) throw new Error('a bug')
        return driver.prepare(...args)
      },
    })
    expect(codeOf(await pool.acquire(toyBackendAt(toy.port), NEVER))).toBe('greeting other')
    expect(codeOf(await pool.acquire(toyBackendAt(toy.port), NEVER))).toBe('lease')
  })

  test('a leg that STARTTLS should have secured and did not is not lent', async () => {
    await using toy = await createToyBackend()
    await using pool = poolOf()
    pool.register(toyDriver('never'))
    const backend = { ...toyBackendAt(toy.port), tls: { mode: 'starttls' as const, verify: true } }
    expect(codeOf(await pool.acquire(backend, NEVER))).toBe('tls tls')
  })

  test('a TLS handshake with somebody who does not speak TLS fails in time', async () => {
    await using toy = await createToyBackend()
    await using pool = poolOf({ connectMs: 500 })
    pool.register(toyDriver('never'))
    const backend = { ...toyBackendAt(toy.port), tls: { mode: 'implicit' as const, verify: true } }
    expect(codeOf(await pool.acquire(backend, NEVER))).toMatch(/^tls (tls|timed-out)$/)
  })

  test.each([
    ['loopback', 'connect cleartext-forbidden'],
    [networksOf(['10.0.0.0/8']), 'connect cleartext-forbidden'],
    [networksOf(['192.0.2.0/24']), 'lease'],
  ] as const)('a name that resolves to a remote address, with rule %o, comes to: %s', async (rule, expected) => {
    await using toy = await createToyBackend()
    const connect: typeof connectLeg = async (address, options) => {
      const connected = await connectLeg(address, options)
      return connected.kind === 'connected' ? { ...connected, remoteAddress: '192.0.2.9' } : connected
    }
    await using pool = poolOf({}, { connect })
    pool.register(toyDriver('never'))
    const backend = { ...toyBackendAt(toy.port), cleartextPasswords: rule }
    expect(codeOf(await pool.acquire(backend, NEVER))).toBe(expected)
  })
})

describe('the breaker', () => {
  test('opens after failures in a row, answers at once while open, and lets one try through afterwards', async () => {
    let now = 0
    let attempts = 0
    let up = false
    await using toy = await createToyBackend()
    const connect: typeof connectLeg = (address, options) => {
      attempts += 1
      return up ? connectLeg(address, options) : Promise.resolve({ kind: 'failed', code: 'refused' })
    }
    const clock = { ...systemClock, now: () => now }
    await using pool = poolOf({ breakerFailures: 3, breakerMs: 1_000 }, { connect, clock, random: () => 0.5 })
    pool.register(toyDriver('never'))
    let calls = 0
    const acquire = async () => {
      const borrower = borrowerAt(`192.0.2.${calls++ % 2}`)
      return codeOf(await pool.acquire(toyBackendAt(toy.port), NEVER, { borrower }))
    }
    for (let at = 0; at < 3; at++) expect(await acquire()).toBe('connect refused')
    expect(pool.stats()[0]?.breaker).toBe('open')
    for (let at = 0; at < 100; at++) expect(await acquire()).toBe('acquire breaker-open')
    expect(attempts).toBe(3)
    now = 1_001
    expect(pool.stats()[0]?.breaker).toBe('half-open')
    expect((await Promise.all([acquire(), acquire(), acquire()])).sort()).toEqual([
      'acquire breaker-open',
      'acquire breaker-open',
      'connect refused',
    ])
    now += 1_500
    expect(await acquire()).toBe('acquire breaker-open')
    now += 600
    up = true
    expect(await acquire()).toBe('lease')
    expect(pool.stats()[0]?.breaker).toBe('closed')
  })

  test('stays closed for one client, whatever it does, and its addresses in one IPv6 network are one client', async () => {
    await using pool = poolOf({ breakerFailures: 2 }, { connect: async () => ({ kind: 'failed', code: 'refused' }) })
    pool.register(toyDriver('never'))
    const acquire = async (address: string) =>
      codeOf(await pool.acquire(toyBackendAt(1), NEVER, { borrower: borrowerAt(address) }))
    for (let at = 0; at < 30; at++) expect(await acquire(`2001:db8::${at}`)).toBe('connect refused')
    expect(pool.stats()[0]?.breaker).toBe('closed')
    expect(await acquire('192.0.2.1')).toBe('connect refused')
    expect(pool.stats()[0]?.breaker).toBe('open')
  })

  test('stays closed for those who hang up while they wait', async () => {
    await using toy = await createToyBackend()
    toy.greeting = undefined
    await using pool = poolOf({ breakerFailures: 2 })
    pool.register(toyDriver('never'))
    for (let at = 0; at < 5; at++) {
      const signal = new CancellationSource()
      const waiting = pool.acquire(toyBackendAt(toy.port), signal)
      await expect.poll(() => toy.open).toBe(1)
      signal.abort('closed')
      await waiting
      await expect.poll(() => toy.open).toBe(0)
    }
    expect(pool.stats()[0]?.breaker).toBe('closed')
  })
})

describe('the number of connections', () => {
  const policy = { warm: 0, warmMs: 40_000, queue: 2, waitMs: 100 }
  const groupBackend = (port: number, more: object) => ({ ...toyBackendAt(port), pool: { ...policy, ...more } })

  test('at an endpoint is limited; who does not want to wait hears so at once, and the queue is bounded', async () => {
    await using toy = await createToyBackend()
    await using pool = poolOf()
    pool.register(toyDriver('never'))
    const backend = groupBackend(toy.port, { endpointConnections: 1 })
    const only = await pool.acquire(backend, NEVER)
    expect(codeOf(await pool.acquire(backend, NEVER, { wait: false }))).toBe('acquire busy')
    const waiting = [pool.acquire(backend, NEVER), pool.acquire(backend, NEVER)]
    expect(pool.stats()[0]?.waiting).toBe(2)
    expect(codeOf(await pool.acquire(backend, NEVER))).toBe('acquire busy')
    expect(pool.stats()[0]?.waiting).toBe(2)
    expect((await Promise.all(waiting)).map(codeOf)).toEqual(['acquire busy', 'acquire busy'])
    if (only.kind === 'lease') only.lease.discard()
    expect(codeOf(await pool.acquire(backend, NEVER))).toBe('lease')
    expect(toy.accepted).toBe(2)
  })

  test('of a group is limited over its endpoints; what rests at one gives way to a login at the other', async () => {
    await using one = await createToyBackend()
    await using two = await createToyBackend()
    await using pool = poolOf()
    pool.register(toyDriver('per-request'))
    const limit = { groupConnections: 2 }
    const [first, second] = [groupBackend(one.port, limit), groupBackend(two.port, limit)]
    const lent = await pool.acquire(first, NEVER)
    const resting = await pool.acquire(first, NEVER)
    expect(codeOf(await pool.acquire(second, NEVER))).toBe('acquire busy')
    if (resting.kind === 'lease') await resting.lease.release()
    expect([one.open, pool.stats()[0]?.idle]).toEqual([2, 1])
    const other = await pool.acquire(second, NEVER)
    expect(codeOf(other)).toBe('lease')
    await expect.poll(() => [one.open, two.open]).toEqual([1, 1])
    expect(pool.stats().map(({ idle, lent: busy }) => [idle, busy])).toEqual([
      [0, 1],
      [0, 1],
    ])
    for (const loan of [lent, other]) if (loan.kind === 'lease') loan.lease.discard()
    expect(codeOf(await pool.acquire(first, NEVER))).toBe('lease')
  })

  test('who waits for a connection to open gets one that comes back sooner, and the other one rests under watch', async () => {
    await using toy = await createToyBackend()
    await using pool = poolOf()
    pool.register(toyDriver('per-request'))
    const backend = toyBackendAt(toy.port)
    const first = await pool.acquire(backend, NEVER)
    toy.greeting = undefined
    const waiting = pool.acquire(backend, NEVER)
    await expect.poll(() => toy.accepted).toBe(2)
    if (first.kind === 'lease') await first.lease.release()
    const served = await waiting
    expect(served.kind === 'lease' && served.lease.kept).toBe(true)
    toy.greeting = 'HELLO'
    toy.shout('HELLO\n')
    await expect.poll(() => pool.stats()[0]?.idle).toBe(1)
    expect(pool.stats()[0]).toMatchObject({ lent: 1, idle: 1 })
    toy.hangUp()
    await expect.poll(() => pool.stats()[0]?.idle).toBe(0)
  })
})

describe('a backend that wants a PROXY header', () => {
  test.each([
    ['v1', /^PROXY TCP4 192\.0\.2\.7 192\.0\.2\.7 4711 4711\r\nLOGIN$/],
    ['v2', /^\r\n\r\n\0\r\nQUIT\n\x21.*s7.*LOGIN$/s],
  ] as const)(
    '%s: is told the client of each connection first, and no connection serves two',
    async (version, said) => {
      await using toy = await createToyBackend()
      await using pool = poolOf()
      pool.register({ ...toyDriver('per-request'), warm: true })
      const policy = { warm: 4, warmMs: 40_000, queue: 9, waitMs: 100 }
      const backend = { ...toyBackendAt(toy.port), proxyProtocol: version, pool: policy }
      for (let at = 0; at < 3; at++) {
        const acquired = await pool.acquire(backend, NEVER, { borrower: borrowerAt('192.0.2.7') })
        if (acquired.kind === 'failed') throw acquired.error
        expect([acquired.lease.kept, acquired.lease.reused]).toEqual([false, false])
        acquired.lease.leg.writeText('LOGIN')
        await expect.poll(() => toy.received.at(-1)).toMatch(said)
        await acquired.lease.release()
      }
      await expect.poll(() => [toy.accepted, toy.open]).toEqual([3, 0])
      expect(pool.stats()[0]).toMatchObject({ lent: 0, idle: 0 })
    },
  )
})

test('of a thousand who give up while their connections open every one is given up, and a place is free for each', async () => {
  await using toy = await createToyBackend()
  let [opening, most, hanging] = [0, 0, true]
  const connect: typeof connectLeg = (address, options) => {
    if (!hanging) return connectLeg(address, options)
    opening += 1
    most = Math.max(most, opening)
    return new Promise((resolve) => {
      options.signal.onAbort = () => {
        opening -= 1
        resolve({ kind: 'failed', code: 'cancelled' })
      }
    })
  }
  await using pool = poolOf({ maxPerBackend: 600 }, { connect })
  pool.register({ ...toyDriver('never'), warm: true })
  const backend = { ...toyBackendAt(toy.port), pool: { warm: 0, warmMs: 40_000, queue: 1_000, waitMs: 60_000 } }
  const signals = Array.from({ length: 1_000 }, () => new CancellationSource())
  const waiting = signals.map((signal) => pool.acquire(backend, signal))
  await expect.poll(() => opening).toBe(600)
  for (const [index, signal] of signals.entries()) {
    if (index % 3 !== 0) signal.abort('closed')
    if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  hanging = false
  for (const signal of signals) signal.abort('closed')
  expect((await Promise.all(waiting)).map(codeOf)).toEqual(Array(1_000).fill('acquire cancelled'))
  await expect.poll(() => pool.stats()[0]).toMatchObject({ lent: 0, idle: 0, waiting: 0 })
  expect([opening, most]).toEqual([0, 600])
  expect(codeOf(await pool.acquire(backend, NEVER))).toBe('lease')
})

describe('the end of a pool', () => {
  test('closes what is idle, lends nothing, and leaves what is lent to its borrowers', async () => {
    await using toy = await createToyBackend()
    const pool = poolOf()
    pool.register(toyDriver('per-request'))
    const backend = toyBackendAt(toy.port)
    const [lent, idle] = [await pool.acquire(backend, NEVER), await pool.acquire(backend, NEVER)]
    if (lent.kind === 'failed' || idle.kind === 'failed') throw new Error('not lent')
    await idle.lease.release()
    await pool[Symbol.asyncDispose]()
    await expect.poll(() => toy.open).toBe(1)
    expect(codeOf(await pool.acquire(backend, NEVER))).toBe('acquire cancelled')
    expect(lent.lease.leg.state).toBe('open')
    await lent.lease.release()
    await expect.poll(() => toy.open).toBe(0)
  })
})

describe('a connection that nobody has', () => {
  const lendAndGiveBack = async (
    pool: ReturnType<typeof poolOf>,
    backend: ReturnType<typeof toyBackendAt>,
    longestRest?: number,
  ) => {
    const acquired = await pool.acquire(backend, NEVER)
    if (acquired.kind === 'failed') throw acquired.error
    acquired.lease.markUsed()
    await acquired.lease.release(longestRest)
  }

  test.each<[string, Partial<PoolLimits>, (pool: ReturnType<typeof poolOf>) => unknown]>([
    ['has rested long enough', { idleMs: 1_000 }, () => undefined],
    ['finds no room on the shelf', { maxIdle: 0 }, () => undefined],
    ['is not needed any more', {}, (pool) => pool.cool()],
    ['belongs to a pool that closes', {}, (pool) => pool[Symbol.asyncDispose]()],
  ])('is told goodbye when it %s', async (_when, limits, close) => {
    await using toy = await createToyBackend()
    await using pool = poolOf(limits)
    pool.register({ ...toyDriver('after-reset'), goodbye: 'QUIT\n' })
    await lendAndGiveBack(pool, toyBackendAt(toy.port))
    await close(pool)
    await expect.poll(() => toy.history[0]).toEqual(['RESET', '= OK', 'QUIT'])
    await expect.poll(() => toy.open).toBe(0)
    expect(pool.stats().every(({ idle, lent }) => idle === 0 && lent === 0)).toBe(true)
  })

  test.each([
    ['rests no longer than its server would let it', 1_000],
    ['does not rest where its server closes at once', 0],
  ])('%s', async (_label, longestRest) => {
    await using toy = await createToyBackend()
    await using pool = poolOf({ idleMs: 3_600_000 })
    pool.register({ ...toyDriver('after-reset'), goodbye: 'QUIT\n' })
    await lendAndGiveBack(pool, toyBackendAt(toy.port), longestRest)
    await expect.poll(() => toy.history[0], { timeout: 60_000 }).toEqual(['RESET', '= OK', 'QUIT'])
    await expect.poll(() => pool.stats().every(({ idle, lent }) => idle === 0 && lent === 0)).toBe(true)
  })

  test('is told goodbye when it has to give way to another of its group', async () => {
    await using one = await createToyBackend()
    await using other = await createToyBackend()
    await using pool = poolOf()
    pool.register({ ...toyDriver('after-reset'), goodbye: 'QUIT\n' })
    const policy = { warm: 0, warmMs: 1, groupConnections: 1, queue: 1, waitMs: 100 }
    await lendAndGiveBack(pool, { ...toyBackendAt(one.port), pool: policy })
    await lendAndGiveBack(pool, { ...toyBackendAt(other.port), pool: policy })
    await expect.poll(() => one.history[0]).toEqual(['RESET', '= OK', 'QUIT'])
    expect(other.history[0]).toEqual(['RESET', '= OK'])
  })

  test('and that was discarded is told nothing: nobody knows what it is in the middle of', async () => {
    await using toy = await createToyBackend()
    await using pool = poolOf()
    pool.register({ ...toyDriver('after-reset'), goodbye: 'QUIT\n' })
    const acquired = await pool.acquire(toyBackendAt(toy.port), NEVER)
    if (acquired.kind === 'lease') acquired.lease.discard()
    await expect.poll(() => toy.open).toBe(0)
    expect(toy.history[0]).toEqual([])
  })

  test('and has served is not kept where the backend ends each at once, until it is tried again', async () => {
    let now = 0
    await using toy = await createToyBackend()
    await using pool = poolOf({}, { clock: { ...systemClock, now: () => now } })
    pool.register(toyDriver('after-reset'))
    const backend = toyBackendAt(toy.port)
    const idle = () => pool.stats()[0]?.idle ?? 0
    for (let count = 1; count <= 3; count++) {
      await lendAndGiveBack(pool, backend)
      expect([toy.accepted, idle()]).toEqual([count, 1])
      toy.hangUp()
      await expect.poll(idle).toBe(0)
    }
    await lendAndGiveBack(pool, backend)
    expect([toy.accepted, idle()]).toEqual([4, 0])
    now += 10_000
    await lendAndGiveBack(pool, backend)
    expect([toy.accepted, idle()]).toEqual([5, 1])
    // This one is kept, and so are the next.
    now += 2_000
    toy.hangUp()
    await expect.poll(idle).toBe(0)
    await lendAndGiveBack(pool, backend)
    expect([toy.accepted, idle()]).toEqual([6, 1])
  })

  test('and has served rests its full time from then on, however old it is', async () => {
    let now = 0
    await using toy = await createToyBackend()
    const clock = { ...systemClock, now: () => now }
    await using pool = poolOf({ idleMs: 60_000 }, { clock })
    pool.register(toyDriver('after-reset'))
    const backend = { ...toyBackendAt(toy.port), pool: { warm: 0, warmMs: 40_000, queue: 1, waitMs: 100 } }
    for (const at of [0, 30_000, 3_600_000]) {
      now = at
      await lendAndGiveBack(pool, backend)
    }
    expect([toy.accepted, pool.stats()[0]?.idle]).toEqual([1, 1])
  })
})
