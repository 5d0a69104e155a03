// SPDX-License-Identifier: MIT
import { systemClock } from '@portico/base'
import { afterAll } from 'vitest'
import { type LegPair, legCompliance } from '../../testkit/src/compliance/leg.js'
import { createTimerWheel, createTlsAcceptor } from '../src/index.js'
import { ServerAcceptor } from '../src/tls-acceptor.js'
import { certificateFor, connectTo, listenForTest } from './support.js'

const wheel = createTimerWheel(systemClock)
const certificate = certificateFor(['mail.example.com', '127.0.0.1'])
afterAll(() => wheel.close())

async function plainPair(): Promise<LegPair> {
  const { listener, accepted } = await listenForTest(wheel)
  const client = await connectTo(listener, wheel)
  client.pause()
  const server = await accepted.next()
  return {
    client,
    server,
    async [Symbol.asyncDispose]() {
      client.destroy()
      await listener[Symbol.asyncDispose]()
    },
  }
}

async function tlsPair(maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<LegPair> {
  const acceptor = createTlsAcceptor({ listener: 'test', certificates: [certificate], alpn: [] })
  const pair = await plainPair()
  const [server, client] = await Promise.all([
    pair.server.upgradeServer(acceptor, new Uint8Array(0), 'starttls', 5_000),
    pair.client.upgradeClient({ servername: 'mail.example.com', ca: certificate.certificate, verify: true }, 5_000),
  ])
  if (server.kind !== 'secure' || client.kind !== 'secure') throw new Error(JSON.stringify([server, client]))
  return pair
}

legCompliance('plain TCP', plainPair)
legCompliance('TLS 1.3', () => tlsPair('TLSv1.3'))
