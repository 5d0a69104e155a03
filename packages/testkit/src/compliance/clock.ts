// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import { describe, expect, test } from 'vitest'

/** A clock under test, and the way to let time pass on it. */
export interface ClockUnderTest {
  readonly clock: Clock
  /** Resolves when at least `ms` have passed and what fell due has fired. */
  pass(ms: number): Promise<void>
}

/** The system counts its timers in whole milliseconds, so that one may seem to be early by a part of one. */
const ROUNDING_MS = 1
/** By how much the wall clock may be put right meanwhile. */
const SLEW_MS = 50

/** The wall clock, with the other one before and after it: a busy machine may take its time between any two readings. */
function readBoth(clock: Clock): { readonly before: number; readonly wall: number; readonly after: number } {
  return { before: clock.now(), wall: clock.wallNow(), after: clock.now() }
}

/** What every {@link Clock} must keep. */
export function clockCompliance(name: string, make: () => ClockUnderTest): void {
  describe(`clock: ${name}`, () => {
    test('time goes forward only, and both readings move together', async () => {
      const { clock, pass } = make()
      const first = readBoth(clock)
      await pass(20)
      const last = readBoth(clock)
      expect(last.before - first.after).toBeGreaterThanOrEqual(20 - ROUNDING_MS)
      expect(last.wall - first.wall).toBeGreaterThan(last.before - first.after - SLEW_MS)
      expect(last.wall - first.wall).toBeLessThan(last.after - first.before + SLEW_MS)
    })

    test('a timer fires once and never early', async () => {
      const { clock, pass } = make()
      const began = clock.now()
      const fired: number[] = []
      clock.after(15, () => fired.push(clock.now() - began))
      await pass(5)
      await pass(60)
      expect(fired).toHaveLength(1)
      expect(fired[0]).toBeGreaterThanOrEqual(15 - ROUNDING_MS)
    })

    test('timers fire in the order of their times, whatever the order they were started in', async () => {
      const { clock, pass } = make()
      const fired: string[] = []
      clock.after(30, () => fired.push('late'))
      clock.after(5, () => fired.push('early'))
      await pass(60)
      expect(fired).toEqual(['early', 'late'])
    })

    test('a timer of no time does not fire within the call that starts it', async () => {
      const { clock, pass } = make()
      let fired = false
      clock.after(0, () => {
        fired = true
      })
      expect(fired).toBe(false)
      await pass(10)
      expect(fired).toBe(true)
    })

    test('a cancelled timer stays silent; cancelling again, or after it fired, is harmless', async () => {
      const { clock, pass } = make()
      let fired = 0
      const cancelled = clock.after(5, () => fired++)
      const done = clock.after(5, () => fired++)
      cancelled.cancel()
      cancelled.cancel()
      await pass(30)
      done.cancel()
      expect(fired).toBe(1)
    })

    test('a timer may start the next one', async () => {
      const { clock, pass } = make()
      let ticks = 0
      const tick = (): void => {
        if (++ticks < 3) clock.after(5, tick)
      }
      clock.after(5, tick)
      // A busy machine may be late with each of them.
      for (let tries = 0; ticks < 3 && tries < 1_000; tries++) await pass(10)
      await pass(30)
      expect(ticks).toBe(3)
    })
  })
}
