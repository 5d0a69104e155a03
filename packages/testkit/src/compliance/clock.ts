// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import { describe, expect, test } from 'vitest'

/** A clock under test, and the way to let time pass on it. */
export interface ClockUnderTest {
  readonly clock: Clock
  /** Resolves when at least `ms` have passed and what fell due has fired. */
  pass(ms: number): Promise<void>
}

/** What every {@link Clock} must keep. */
export function clockCompliance(name: string, make: () => ClockUnderTest): void {
  describe(`clock: ${name}`, () => {
    test('time goes forward only, and both readings move together', async () => {
      const { clock, pass } = make()
      const [began, wall] = [clock.now(), clock.wallNow()]
      await pass(20)
      expect(clock.now() - began).toBeGreaterThanOrEqual(19.9)
      expect(Math.abs(clock.wallNow() - wall - (clock.now() - began))).toBeLessThan(50)
    })

    test('a timer fires once and never early', async () => {
      const { clock, pass } = make()
      const began = clock.now()
      const fired: number[] = []
      clock.after(15, () => fired.push(clock.now() - began))
      await pass(5)
      await pass(60)
      expect(fired).toHaveLength(1)
      // The system rounds timers to whole milliseconds of its own loop time.
      expect(fired[0]).toBeGreaterThanOrEqual(14)
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
      await pass(80)
      expect(ticks).toBe(3)
    })
  })
}
