// SPDX-License-Identifier: MIT
import type { LegPair } from '@portico/testkit'
import { createTlsAcceptor, type TimerWheel, type TlsCertificate } from '../src/index.js'
import { connectTo, listenForTest } from './support.js'

export async function plainPair(wheel: TimerWheel): Promise<LegPair> {
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

export async function tlsPair(wheel: TimerWheel, certificate: TlsCertificate): Promise<LegPair> {
  const acceptor = createTlsAcceptor({ listener: 'test', certificates: [certificate], alpn: [] })
  const pair = await plainPair(wheel)
  const [server, client] = await Promise.all([
    pair.server.upgradeServer(acceptor, new Uint8Array(0), 'starttls', 5_000),
    pair.client.upgradeClient({ servername: 'mail.example.com', ca: certificate.certificate, verify: true }, 5_000),
  ])
  if (server.kind !== 'secure' || client.kind !== 'secure') throw new Error(JSON.stringify([server, client]))
  return pair
}
