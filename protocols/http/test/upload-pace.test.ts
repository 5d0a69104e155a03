// SPDX-License-Identifier: MIT
import { createFakeClock } from '@portico/testkit'
import { expect, test } from 'vitest'
import { UploadPace } from '../src/backend/upload-pace.js'

const MINUTE = 60_000

test('a body has to come at a pace, window for window', async () => {
  const clock = createFakeClock()
  const pace = new UploadPace(clock, MINUTE, 100)
  expect(pace.came(1_000_000)).toBe(true)
  await clock.advance(MINUTE)
  expect(pace.came(1)).toBe(true)
  await clock.advance(MINUTE - 1)
  expect(pace.came(5_000)).toBe(true)
  await clock.advance(1)
  expect(pace.came(998)).toBe(false)
})

test('time for which the backend took nothing does not count', async () => {
  const clock = createFakeClock()
  const pace = new UploadPace(clock, MINUTE, 100)
  pace.came(1)
  pace.hold()
  await clock.advance(10 * MINUTE)
  pace.hold()
  pace.go()
  await clock.advance(MINUTE - 1)
  expect(pace.came(1)).toBe(true)
  await clock.advance(1)
  expect(pace.came(1)).toBe(false)
})
