// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTimerWheel } from '../src/index.js'
import { ManualClock } from './support.js'

test('every entry fires once, never before its time and within one tick after it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5_000), fc.nat(200_000)), { minLength: 1, maxLength: 30 }), (entries) => {
      const clock = new ManualClock()
      const wheel = createTimerWheel(clock)
      const late: number[] = []
      for (const [wait, ms] of entries) {
        clock.advance(wait)
        const due = clock.now() + ms
        wheel.add(ms, () => late.push(clock.now() - due))
      }
      clock.advance(300_000)
      expect(late).toHaveLength(entries.length)
      expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...late)).toBeLessThanOrEqual(100)
      expect([wheel.size, clock.pending]).toEqual([0, 0])
    }),
    { numRuns: 50 },
  )
})

test('an idle entry fires only after so long without a touch, within two ticks', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_900), { maxLength: 30 }), (waits) => {
      const clock = new ManualClock()
      const wheel = createTimerWheel(clock)
      let fired: number | undefined
      const idle = wheel.addIdle(2_000, () => {
        fired = clock.now()
      })
      for (const wait of waits) {
        clock.advance(wait)
        expect(fired).toBeUndefined()
        idle.touch()
      }
      const last = clock.now()
      clock.advance(10_000)
      expect((fired ?? 0) - last).toBeGreaterThanOrEqual(2_000)
      expect((fired ?? 0) - last).toBeLessThanOrEqual(2_200)
    }),
    { numRuns: 50 },
  )
})

test('a process that was held up does not call somebody idle who spoke meanwhile', () => {
  const clock = new ManualClock()
  const wheel = createTimerWheel(clock)
  let fired: number | undefined
  const idle = wheel.addIdle(2_000, () => {
    fired = clock.now()
  })
  clock.stall(1_900)
  idle.touch()
  clock.advance(1_500)
  expect(fired).toBeUndefined()
  clock.advance(1_000)
  expect(fired).toBeGreaterThanOrEqual(3_900)
})

test('cancelled entries do not fire, entries may cancel each other, and an empty wheel has no timer', () => {
  const clock = new ManualClock()
  const wheel = createTimerWheel(clock)
  const fired: string[] = []
  const first = wheel.add(150, () => {
    fired.push('first')
    second.cancel()
  })
  const second = wheel.add(150, () => fired.push('second'))
  const third = wheel.add(10_000, () => fired.push('third'))
  third.cancel()
  third.cancel()
  clock.advance(1_000)
  first.cancel()
  expect(fired).toEqual(['first'])
  expect([wheel.size, clock.pending]).toEqual([0, 0])
  wheel.add(50, () => fired.push('again'))
  clock.advance(200)
  expect(fired).toEqual(['first', 'again'])
})

test('an entry that starts another one while it fires keeps one timer running, not two', () => {
  const clock = new ManualClock()
  const wheel = createTimerWheel(clock)
  const fired: number[] = []
  const again = () => {
    fired.push(clock.now())
    if (fired.length < 5) wheel.add(100, again)
    expect(clock.pending).toBeLessThanOrEqual(1)
  }
  wheel.add(100, again)
  clock.advance(2_000)
  expect(fired).toEqual([100, 200, 300, 400, 500])
  expect(clock.pending).toBe(0)
})
