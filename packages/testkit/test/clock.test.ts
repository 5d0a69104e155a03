// SPDX-License-Identifier: MIT
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@portico/base'
import { expect, test } from 'vitest'
import { clockCompliance, createFakeClock } from '../src/index.js'

clockCompliance('system', () => ({ clock: systemClock, pass: (ms) => sleep(ms).then(() => undefined) }))
clockCompliance('fake', () => {
  const clock = createFakeClock()
  return { clock, pass: (ms) => clock.advance(ms) }
})

test('a fake clock fires nothing by itself, and half an hour takes no time', async () => {
  const clock = createFakeClock()
  let ticks = 0
  const tick = (): void => {
    ticks++
    clock.after(1_000, tick)
  }
  clock.after(1_000, tick)
  await sleep(5)
  expect(ticks).toBe(0)
  await clock.advance(30 * 60_000)
  expect(ticks).toBe(1800)
  expect(clock.now()).toBe(1_800_000)
  expect(clock.pending).toBe(1)
})

test('what a timer resolves runs before the next timer fires', async () => {
  const clock = createFakeClock()
  const seen: string[] = []
  const first = new Promise<void>((resolve) => {
    clock.after(10, resolve)
  })
  void first.then(() => {
    seen.push('after the first')
    clock.after(10, () => seen.push('started in between'))
  })
  clock.after(30, () => seen.push('third'))
  await clock.advance(30)
  expect(seen).toEqual(['after the first', 'started in between', 'third'])
})
