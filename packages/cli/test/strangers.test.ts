// SPDX-License-Identifier: MIT
import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { protocols } from '@portico/cli'
import { createFrontEnd, type FrontEnd } from '@portico/frontend'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const KIB = 1024
/** What may wait for a peer that does not read: the mark at which writing stops, and what one read more can lead to. */
const MOST_QUEUED = 192 * KIB

let frontEnd: FrontEnd
const clients: Socket[] = []

beforeAll(async () => {
  frontEnd = await createFrontEnd({
    protocols,
    config: {
      version: 1,
      // What waits is counted at the other end's socket, which handles have none of.
      transport: 'node',
      listeners: protocols.map(({ name }) => ({
        protocol: name,
        name,
        address: '127.0.0.1:0',
        tls: 'none',
        plaintextPasswords: 'always',
        ...(name === 'smtp' ? { connector: 'client' } : {}),
      })),
      credentials: [{ type: 'deferred' }],
      location: [{ type: 'hash', group: 'mbx' }],
      backends: { mbx: { imap4: { endpoints: ['127.0.0.1:9'] } } },
      limits: { connectionsPerAddress: 1_000 },
      sip: { domains: ['test.lan'], strangers: 'answer' },
    },
  })
})
afterAll(async () => {
  for (const client of clients) client.destroy()
  await frontEnd.close()
})

async function dial(protocol: string): Promise<Socket> {
  const port = frontEnd.listeners.find(({ name }) => name === protocol)?.port ?? 0
  const client = connect(port, '127.0.0.1')
  clients.push(client)
  client.on('error', () => undefined)
  await new Promise<void>((resolve) => client.once('connect', resolve))
  return client
}

const PING =
  'OPTIONS sip:127.0.0.1 SIP/2.0\r\nv: SIP/2.0/TCP pc;branch=z9hG4bK1\r\nf: <sip:pc@test.lan>;tag=1\r\nt: <sip:127.0.0.1>\r\n' +
  'i: 1\r\nCSeq: 1 OPTIONS\r\nl: 0\r\n\r\n'

/** Our own end of a client's connection: both are in this process. */
function otherEnd(client: Socket): Socket {
  const all = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles() as Partial<Socket>[]
  const found = all.find((handle) => handle.remotePort === client.localPort && handle.localPort === client.remotePort)
  if (found === undefined) throw new Error('the connection has no other end')
  return found as Socket
}

describe('strangers', () => {
  test('200 of them cost little: both ends of a connection together stay below 48 KiB of heap', async () => {
    // What is loaded at the first connection is not the price of a connection.
    for (const { name } of protocols) (await dial(name)).destroy()
    await expect.poll(() => frontEnd.sessions).toBe(0)
    collect()
    const before = process.memoryUsage().heapUsed
    const held = await Promise.all(
      Array.from({ length: 200 }, (_, n) => dial(protocols[n % protocols.length]?.name ?? 'imap4')),
    )
    await expect.poll(() => frontEnd.sessions).toBe(200)
    collect()
    expect((process.memoryUsage().heapUsed - before) / 200 / KIB).toBeLessThan(48)
    for (const client of held) client.destroy()
    await expect.poll(() => frontEnd.sessions).toBe(0)
  })

  test.each([
    ['imap4', 'a CAPABILITY\r\n'],
    ['pop3', 'CAPA\r\n'],
    ['smtp', 'EHLO pc.test.lan\r\n'],
    ['http', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['sip', PING],
  ])('%s: who asks on and reads no answer is no longer heard, and little waits for them', async (protocol, command) => {
    const client = await dial(protocol)
    client.pause()
    const block = Buffer.from(command.repeat(Math.ceil((64 * KIB) / command.length)))
    const push = (): void => {
      while (client.write(block));
    }
    client.on('drain', push)
    push()
    const served = otherEnd(client)
    // The kernel's buffers fill up first.
    await vi.waitFor(() => expect(served.writableLength).toBeGreaterThan(64 * KIB), { timeout: 45_000, interval: 20 })
    let heard = -1
    await vi.waitFor(
      () => {
        const before = heard
        heard = served.bytesRead
        expect(heard).toBe(before)
      },
      { timeout: 45_000, interval: 250 },
    )
    expect(served.writableLength).toBeLessThanOrEqual(MOST_QUEUED)
    client.destroy()
  })
})
