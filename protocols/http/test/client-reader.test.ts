// SPDX-License-Identifier: MIT
import type { Leg } from '@portico/net'
import { expect, test } from 'vitest'
import { ClientReader } from '../src/client/client-reader.js'

test('a client that asks and does not read the answers is not heard until it has read them', () => {
  const leg = {
    paused: false,
    needsDrain: true,
    buffered: 0,
    state: 'open',
    pause() {
      leg.paused = true
    },
    resume() {
      leg.paused = false
    },
    setIdle() {},
  }
  const limits = { head: 1024, target: 256, fields: 10 }
  const times = { keepAlive: 1000, headerTimeout: 1000 }
  const reader = new ClientReader(
    leg as unknown as Leg,
    limits,
    times,
    () => {},
    () => Number.POSITIVE_INFINITY,
  )
  void reader.readHead()
  expect(leg.paused).toBe(true)
  leg.needsDrain = false
  reader.onDrain()
  expect(leg.paused).toBe(false)
})
