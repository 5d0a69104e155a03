// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect as connectTls } from 'node:tls'
import { testCertificates } from '@portico/testkit'
import { expect, test } from 'vitest'
import { ALICE, fieldBlock, frame, Http2Front, plainSocket } from './http2-front.js'

const [DATA, HEADERS, SETTINGS, PING] = [0, 1, 4, 6]
const END_HEADERS = 4
const UPLOAD = [
  [':method', 'PUT'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/'],
  ['authorization', ALICE.authorization],
] as const

test('an upload whose client is reset while octets wait to be read and answers to be written has broken off', async () => {
  let came: (request: IncomingMessage) => void = () => undefined
  const asked = new Promise<IncomingMessage>((resolve) => {
    came = resolve
  })
  await using front = await Http2Front.start((request) => came(request))
  const raw = plainSocket(front.port).on('error', () => undefined)
  const ca = testCertificates().ca.certificate
  const client = connectTls({ socket: raw, servername: 'localhost', ca, ALPNProtocols: ['h2'] })
  client.on('error', () => undefined).on('data', () => undefined)
  await once(client, 'secureConnect')
  client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  client.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)))
  client.write(frame(HEADERS, END_HEADERS, 1, fieldBlock(UPLOAD)))
  client.write(frame(DATA, 0, 1, Buffer.from('first')))
  const request = await asked
  const broken = new Promise((resolve) => request.on('error', resolve))
  await once(request, 'data')
  for (let count = 0; count < 15; count++) {
    client.write(frame(DATA, 0, 1, Buffer.alloc(4_000)))
    client.write(frame(PING, 0, 0, Buffer.alloc(8)))
  }
  raw.resetAndDestroy()
  await broken
  expect((await front.line('session ended')).facts).toMatchObject({ reason: 'client-closed', user: 'alice' })
})
