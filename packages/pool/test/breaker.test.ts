// SPDX-License-Identifier: MIT
import { BackendError, type BackendErrorCode, type BackendPhase } from '@portico/base'
import { createFakeClock } from '@portico/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Breaker } from '../src/breaker.js'

const errorOf = (code: BackendErrorCode, phase: BackendPhase) => new BackendError({ code, phase, backend: 'b' })
const RULE = { failures: 3, clients: 2, firstMs: 1_000 }

/** What the pool does for one client whose attempt came to this. Undefined: it was not let through. */
function attempt(breaker: Breaker, client: string, error?: BackendError): 'admitted' | undefined {
  if (!breaker.admit()) return undefined
  breaker.settle(error)
  if (error !== undefined) breaker.seen(error, client)
  return 'admitted'
}

const down = errorOf('refused', 'connect')

describe('which failures open a breaker', () => {
  test.each([
    ['refused connections', 'refused', 'connect', 'open'],
    ['connections that time out', 'timed-out', 'connect', 'open'],
    ['broken TLS', 'tls', 'tls', 'open'],
    ['no greeting', 'timed-out', 'greeting', 'open'],
    ['a greeting that says no', 'temporary', 'greeting', 'open'],
    ['a client that went away', 'cancelled', 'greeting', 'closed'],
    ['a leg that may not be in the clear', 'cleartext-forbidden', 'connect', 'closed'],
    ['a place that was not free', 'busy', 'acquire', 'closed'],
    ['trouble at sign-in', 'closed', 'login', 'closed'],
  ] as const)('%s', (_what, code, phase, state) => {
    const breaker = new Breaker(createFakeClock(), RULE, () => 0.5)
    for (let at = 0; at < 9; at++) attempt(breaker, `c${at}`, errorOf(code, phase))
    expect(breaker.state).toBe(state)
  })

  test.each([
    ['refused connections', 'refused', 'connect', 'open'],
    ['no greeting', 'timed-out', 'greeting', 'open'],
    ['a greeting that says no', 'temporary', 'greeting', 'closed'],
    ['an end before TLS', 'closed', 'tls', 'closed'],
  ] as const)('of a backend that was told the client by a PROXY header: %s', (_what, code, phase, state) => {
    const breaker = new Breaker(createFakeClock(), { ...RULE, knowsClient: true }, () => 0.5)
    for (let at = 0; at < 9; at++) attempt(breaker, `c${at}`, errorOf(code, phase))
    expect(breaker.state).toBe(state)
  })

  test('a client that a backend turns away by its name has shown that the backend is there', async () => {
    const clock = createFakeClock()
    const breaker = new Breaker(clock, { ...RULE, knowsClient: true }, () => 0.5)
    for (const client of ['a', 'b', 'c']) attempt(breaker, client, down)
    await clock.advance(1_500)
    expect(attempt(breaker, 'banned', errorOf('temporary', 'greeting'))).toBe('admitted')
    expect(breaker.state).toBe('closed')
  })

  test('failures that lie more than a minute apart are not one trouble', async () => {
    const clock = createFakeClock()
    const breaker = new Breaker(clock, RULE, () => 0.5)
    for (let at = 0; at < 9; at++) {
      attempt(breaker, `c${at}`, down)
      await clock.advance(60_001)
    }
    expect(breaker.state).toBe('closed')
  })
})

const step = fc.oneof(
  fc.record({
    kind: fc.constant('attempt' as const),
    client: fc.constantFrom('a', 'b', 'c'),
    ok: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
)

describe('a breaker, whatever happens', () => {
  test('opens only after enough failures in a row of enough clients, and answers nobody while it is open', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = createFakeClock()
      const breaker = new Breaker(clock, RULE, () => 0.5)
      let row: string[] = []
      for (const taken of steps) {
        if (taken.kind === 'wait') {
          await clock.advance(taken.ms)
          continue
        }
        const before = breaker.state
        const admitted = attempt(breaker, taken.client, taken.ok ? undefined : down)
        expect(admitted === undefined).toBe(before === 'open')
        if (admitted === undefined) continue
        row = taken.ok ? [] : [...row, taken.client]
        if (taken.ok) expect(breaker.state).toBe('closed')
        if (before === 'half-open' && !taken.ok) expect(breaker.state).toBe('open')
        if (before === 'closed' && breaker.state === 'open') {
          expect(row.length).toBeGreaterThanOrEqual(RULE.failures)
          expect(new Set(row).size).toBeGreaterThanOrEqual(RULE.clients)
        }
      }
    })
    await fc.assert(property, { numRuns: 60 })
  })

  test('one client alone never opens it', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 100 }), (outcomes) => {
        const breaker = new Breaker(createFakeClock(), RULE, () => 0.5)
        for (const ok of outcomes) attempt(breaker, 'hostile', ok ? undefined : down)
        expect(breaker.state).toBe('closed')
      }),
    )
  })

  test('half-open it lets one through at a time, and stays open twice as long after each failure, up to a minute', async () => {
    const property = fc.asyncProperty(fc.double({ min: 0, max: 0.999, noNaN: true }), async (drawn) => {
      const clock = createFakeClock()
      const breaker = new Breaker(clock, RULE, () => drawn)
      for (const client of ['a', 'b', 'c']) attempt(breaker, client, down)
      for (let expected = 1_000; expected < 200_000; expected *= 2) {
        const openMs = Math.min(expected, 60_000) * (0.5 + drawn)
        await clock.advance(openMs - 1)
        expect(breaker.state).toBe('open')
        await clock.advance(2)
        expect([breaker.state, breaker.admit(), breaker.admit(), breaker.admit()]).toEqual([
          'half-open',
          true,
          false,
          false,
        ])
        breaker.settle(errorOf('cancelled', 'connect'))
        expect([breaker.state, breaker.admit()]).toEqual(['half-open', true])
        breaker.settle(down)
        expect(breaker.state).toBe('open')
      }
      await clock.advance(100_000)
      expect(attempt(breaker, 'd')).toBe('admitted')
      expect([breaker.state, breaker.quiet]).toEqual(['closed', true])
    })
    await fc.assert(property, { numRuns: 20 })
  })
})
