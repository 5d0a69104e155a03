// SPDX-License-Identifier: MIT
import tls from 'node:tls'
import { systemClock } from '@portico/base'
import { legCompliance } from '@portico/testkit'
import { afterAll, expect, test } from 'vitest'
import { createTimerWheel } from '../src/index.js'
import { plainPair, tlsPair } from './leg-pairs.js'
import { certificateFor } from './support.js'

// Of this process only; the acceptor and the client read it when they make their contexts.
tls.DEFAULT_MAX_VERSION = 'TLSv1.2'
const wheel = createTimerWheel(systemClock)
const certificate = certificateFor(['mail.example.com'], 'rsa')
afterAll(() => wheel.close())

legCompliance('TLS 1.2', () => tlsPair(wheel, certificate))

test('TLS 1.2 offers no exporter binding, and the same end-point binding on both ends (RFC 9266, RFC 5929)', async () => {
  await using pair = await tlsPair(wheel, certificate)
  expect(pair.server.tls?.version).toBe('TLSv1.2')
  expect(pair.server.tls?.channelBinding('tls-exporter')).toBeUndefined()
  const binding = pair.server.tls?.channelBinding('tls-server-end-point')
  expect(binding).toHaveLength(32)
  expect(pair.client.tls?.channelBinding('tls-server-end-point')).toEqual(binding)
  await using plain = await plainPair(wheel)
  expect(plain.server.tls).toBeUndefined()
})
