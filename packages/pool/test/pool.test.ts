// SPDX-License-Identifier: MIT
import { CancellationSource, NEVER, networksOf, systemClock } from '@portico/base'
import { connectLeg, createTimerWheel } from '@portico/net'
import { type BackendPoolOptions, createBackendPool, type PoolLimits } from '@portico/pool'
import { silentLog } from '@portico/telemetry'
import { backendPoolCompliance, createToyBackend, toyBackendAt, toyDriver } from '@portico/testkit'
import { describe, expect, test } from 'vitest'

const wheel = createTimerWheel(systemClock)

function poolOf(limits: Partial<PoolLimits> = {}, more: Partial<BackendPoolOptions> = {}) {
  const all = { connectMs: 2_000, maxPerBackend: 4, acquireMs: 1_000, ...limits }
  return createBackendPool({ clock: systemClock, wheel, log: silentLog, limits: all, ...more })
}

backendPoolCompliance('generic', ({ max, acquireMs }) => poolOf({ maxPerBackend: max, acquireMs }))

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
    const acquire = async () => codeOf(await pool.acquire(toyBackendAt(toy.port), NEVER))
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
