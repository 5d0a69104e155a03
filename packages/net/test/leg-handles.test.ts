// SPDX-License-Identifier: MIT
import { systemClock } from '@portico/base'
import { legCompliance } from '@portico/testkit'
import { afterAll, beforeAll, expect } from 'vitest'
import { chooseTransport, createTimerWheel } from '../src/index.js'
import { plainPair, tlsPair } from './leg-pairs.js'
import { certificateFor } from './support.js'

const wheel = createTimerWheel(systemClock)
const certificate = certificateFor(['mail.example.com'])
beforeAll(async () => {
  expect(await chooseTransport('auto')).toEqual({ kind: 'handles' })
})
afterAll(() => wheel.close())

legCompliance('plain TCP on handles', () => plainPair(wheel))
legCompliance('TLS 1.3 on handles', () => tlsPair(wheel, certificate))
