// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { testCertificates } from '@portico/testkit'
import { expect, test } from 'vitest'
import { handleOf, isReset } from '../src/stream-handle.js'

/** Both ends of a connection; nobody reads at the first. */
async function unread(): Promise<readonly [here: Socket, there: Socket]> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const there = connect(server.address() as { readonly port: number })
  const [here] = (await once(server, 'connection')) as [Socket]
  server.close()
  return [here, there]
}

test('a reset is seen although nobody reads, and octets that nobody has read are no reset', async () => {
  const [here, there] = await unread()
  await new Promise((resolve) => there.write('unread', resolve))
  expect(isReset(here)).toBe(false)
  there.resetAndDestroy()
  await expect.poll(() => isReset(here)).toBe(true)
  here.destroy()
  expect(isReset(here)).toBe(false)
})

test('it is seen through TLS', async () => {
  const { ca, server } = testCertificates()
  const [here, there] = await unread()
  const inside = new TLSSocket(here, { isServer: true, cert: server.certificate, key: server.key })
  const outside = connectTls({ socket: there, servername: 'localhost', ca: ca.certificate })
  await once(outside, 'secureConnect')
  expect(isReset(inside)).toBe(false)
  inside.on('error', () => undefined)
  here.on('error', () => undefined)
  handleOf(inside)?.readStop()
  there.resetAndDestroy()
  await expect.poll(() => isReset(inside)).toBe(true)
  inside.destroy()
})
