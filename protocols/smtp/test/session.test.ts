// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createFrontEnd } from '@portico/frontend'
import { silentLog } from '@portico/telemetry'
import { afterEach, expect, test } from 'vitest'
import { smtp } from '../src/index.js'

const opened: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A peer that is read line by line, or stopped. */
class Peer {
  readonly socket: Socket
  #text = ''
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      this.#wake()
    })
    for (const event of ['end', 'close']) socket.on(event, () => this.#wake())
  }

  /** Waits for text and takes everything up to its end. */
  async until(wanted: string): Promise<string> {
    while (!this.#text.includes(wanted)) {
      if (this.socket.readableEnded || this.socket.destroyed) throw new Error(`ended before ${wanted}: ${this.#text}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const to = this.#text.indexOf(wanted) + wanted.length
    const taken = this.#text.slice(0, to)
    this.#text = this.#text.slice(to)
    return taken
  }

  say(text: string): void {
    this.socket.write(text, 'latin1')
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A front end with an inbound connector, in front of one backend whose connections the test plays. */
async function stage(lookups: object = {}): Promise<{ client: Peer; backend: () => Promise<Peer> }> {
  const server = createServer({ allowHalfOpen: true })
  const port = await listening(server)
  const frontEnd = await createFrontEnd({
    protocols: [smtp],
    log: silentLog,
    config: {
      version: 1,
      hostname: 'portico.test.lan',
      listeners: [{ protocol: 'smtp', address: '127.0.0.1:0', tls: 'none', connector: 'inbound' }],
      smtp: { connectors: { inbound: { domains: ['test.lan'], maxSize: '64MiB', extensions: ['8BITMIME'] } } },
      credentials: [{ type: 'deferred' }],
      location: [{ type: 'hash', group: 'mbx', domains: ['test.lan'] }],
      backends: { mbx: { smtp: { endpoints: [`127.0.0.1:${port}`] } } },
      ...lookups,
    },
  })
  opened.push(() => frontEnd.close())
  const socket = connect(frontEnd.listeners[0]?.port ?? 0, '127.0.0.1')
  opened.push(() => void socket.destroy())
  const client = new Peer(socket)
  const backend = async () => {
    const [accepted] = (await once(server, 'connection')) as [Socket]
    opened.push(() => void accepted.destroy())
    return new Peer(accepted)
  }
  await client.until('220 portico.test.lan ESMTP\r\n')
  client.say('EHLO pc.test.lan\r\n')
  await client.until('250 8BITMIME\r\n')
  return { client, backend }
}

/** Plays the dialogue up to the client's 354. */
async function upToData(client: Peer, arrival: () => Promise<Peer>): Promise<Peer> {
  const coming = arrival()
  client.say('MAIL FROM:<eve@far.example>\r\nRCPT TO:<alice@test.lan>\r\nDATA\r\n')
  const backend = await coming
  backend.say('220 mbx\r\n')
  await backend.until('EHLO [127.0.0.1]\r\n')
  backend.say('250-mbx\r\n250 8BITMIME\r\n')
  await backend.until('MAIL FROM:<eve@far.example>\r\n')
  backend.say('250 ok\r\n')
  await backend.until('RCPT TO:<alice@test.lan>\r\n')
  backend.say('250 ok\r\n')
  await backend.until('DATA\r\n')
  backend.say('354 go\r\n')
  await client.until('354 ')
  client.say('Subject: hi\r\n\r\n')
  await backend.until('Subject: hi\r\n\r\n')
  return backend
}

test('32 MiB go through a slow backend unchanged and in bounded memory', async () => {
  const { client, backend: arrival } = await stage()
  const backend = await upToData(client, arrival)
  const line = Buffer.from(`${'x'.repeat(76)}\r\n`)
  const chunk = Buffer.concat(Array.from({ length: 840 }, () => line))
  const wanted = createHash('sha256')
  const got = createHash('sha256')
  backend.socket.removeAllListeners('data')
  backend.socket.pause()
  let blocked = 0
  const sending = (async () => {
    for (let sent = 0; sent < 32 * 1024 ** 2; sent += chunk.length) {
      wanted.update(chunk)
      if (client.socket.write(chunk)) continue
      blocked += 1
      await once(client.socket, 'drain')
    }
    client.say('.\r\n')
  })()
  // The backend does not read: the client has to be stopped long before it has sent everything.
  const early = await Promise.race([
    sending.then(() => 'sent'),
    new Promise((resolve) => setTimeout(resolve, 300, 'held')),
  ])
  expect(early).toBe('held')
  let tail = Buffer.alloc(0)
  const received = new Promise<void>((resolve) => {
    backend.socket.on('data', (data: Buffer) => {
      const all = Buffer.concat([tail, data])
      const ready = Math.max(0, all.length - 3)
      got.update(all.subarray(0, ready))
      tail = all.subarray(ready)
      if (tail.toString('latin1') === '.\r\n') resolve()
    })
  })
  backend.socket.resume()
  await sending
  await received
  backend.say('250 2.0.0 taken\r\n')
  await client.until('250 2.0.0 taken\r\n')
  expect(blocked).toBeGreaterThan(0)
  expect(got.digest('hex')).toBe(wanted.digest('hex'))
})

test('no octet that could end the message reaches the backend when the client vanishes right before it', async () => {
  const { client, backend: arrival } = await stage()
  const backend = await upToData(client, arrival)
  client.say('Hi\r\n.\r')
  await backend.until('Hi\r\n')
  client.socket.resetAndDestroy()
  await expect(backend.until('.')).rejects.toThrow('ended before .: ')
})

test.each([
  ['MAIL FROM:<>', 'MAIL FROM: <>'],
  ['MAIL FROM:<"a b"@far.example>', 'MAIL FROM: <"a%20b"@far.example>'],
])('an auth_http service is told who sends to the recipient it is asked for: %s', async (command, sender) => {
  const asked: IncomingHttpHeaders[] = []
  const service = createHttpServer((request, response) => {
    asked.push(request.headers)
    response.writeHead(200, { 'Auth-Status': 'No such user', 'Auth-Error-Code': '550 5.1.1' }).end()
  })
  const port = await listening(service)
  opened.push(() => service.closeAllConnections())
  const { client } = await stage({
    credentials: [{ type: 'auth-http', url: `http://127.0.0.1:${port}/auth` }],
    location: [{ type: 'auth-http', group: 'mbx' }],
  })
  client.say(`${command}\r\n`)
  await client.until('250 2.1.0 Sender OK\r\n')
  client.say('RCPT TO:<bob@test.lan>\r\n')
  await client.until('550 5.1.1')
  expect(asked).toHaveLength(1)
  expect(asked[0]).toMatchObject({
    'auth-method': 'none',
    'client-ip': '127.0.0.1',
    'auth-smtp-helo': 'pc.test.lan',
    'auth-smtp-from': sender,
    'auth-smtp-to': 'RCPT TO: <bob@test.lan>',
  })
})
