// SPDX-License-Identifier: MIT
import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from '../src/index.js'

const DAY = 24 * 60 * 60 * 1000

afterEach(() => {
  vi.useRealTimers()
})

test('a timer of more days than setTimeout can count fires on its day, and not before', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const fire = vi.fn()
  systemClock.after(60 * DAY, fire)
  vi.advanceTimersByTime(60 * DAY - 1)
  expect(fire).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(fire).toHaveBeenCalledOnce()
})

test('such a timer can be cancelled on any day', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const fire = vi.fn()
  const timer = systemClock.after(60 * DAY, fire)
  vi.advanceTimersByTime(40 * DAY)
  timer.cancel()
  vi.advanceTimersByTime(40 * DAY)
  expect(fire).not.toHaveBeenCalled()
})
