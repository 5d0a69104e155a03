// SPDX-License-Identifier: MIT
import { systemClock } from '@portico/base'
import { legCompliance } from '@portico/testkit'
import { afterAll } from 'vitest'
import { createTimerWheel } from '../src/index.js'
import { plainPair, tlsPair } from './leg-pairs.js'
import { certificateFor } from './support.js'

const wheel = createTimerWheel(systemClock)
const certificate = certificateFor(['mail.example.com'])
afterAll(() => wheel.close())

legCompliance('plain TCP', () => plainPair(wheel))
legCompliance('TLS 1.3', () => tlsPair(wheel, certificate))
