// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { constants } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { connect as connectTls } from 'node:tls'
import { testCertificates } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { ALICE, ask, fieldBlock, frame, Http2Front } from './http2-front.js'

const GET = { ':path': '/', ...ALICE }
const FIELDS = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/'],
  ['authorization', ALICE.authorization],
] as const

const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION] = [0, 1, 3, 4, 6, 9]
const END_STREAM = 1
const END_HEADERS = 4

/** Writes until the other side ends the connection. */
async function flood(socket: TLSSocket, next: (index: number) => Buffer): Promise<void> {
  let over = false
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      over = true
      resolve()
    }
    socket.on('end', end).on('close', end)
  })
  for (let index = 0; !over && index < 100_000; index += 100) {
    const some = Array.from({ length: 100 }, (_, at) => next(index + at))
    if (!socket.write(Buffer.concat(some))) {
      await Promise.race([ended, new Promise((resolve) => socket.once('drain', resolve))])
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await ended
}

describe('a connection of HTTP/2', () => {
  test('is what is wanted most, until the site no longer wants it', async () => {
    await using front = await Http2Front.start((_request, response) => response.end())
    const chosen = async () => {
      const { ca } = testCertificates()
      const options = { host: '127.0.0.1', port: front.port, servername: 'localhost', ca: ca.certificate }
      const socket = connectTls({ ...options, ALPNProtocols: ['http/1.1', 'h2'] })
      await once(socket, 'secureConnect')
      socket.destroy()
      return socket.alpnProtocol
    }
    expect(await chosen()).toBe('h2')
    await front.frontEnd.reload({ ...front.config, http: { http2: false } })
    expect(await chosen()).toBe('http/1.1')
  })

  test('a leaving node says GOAWAY, answers what was asked, and the session ends', async () => {
    let came: (answer: () => void) => void = () => undefined
    const asked = new Promise<() => void>((resolve) => {
      came = resolve
    })
    await using front = await Http2Front.start((_request, response) => came(() => response.end('late')))
    const client = front.client()
    const got = ask(client, GET)
    const answer = await asked
    const goaway = once(client, 'goaway')
    const closed = front.frontEnd.drain()
    expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR)
    answer()
    expect(await got).toMatchObject({ status: 200, body: 'late', code: 0 })
    await closed
    expect((await front.line('session ended')).facts).toMatchObject({ reason: 'draining', user: 'alice' })
  })

  test('that asks nothing is ended in order', async () => {
    await using front = await Http2Front.start((_request, response) => response.end(), { http: { keepAlive: '1s' } })
    const client = front.client()
    await ask(client, GET)
    const goaway = once(client, 'goaway')
    expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR)
    expect((await front.line('session ended')).facts).toMatchObject({ reason: 'idle' })
  })

  test('a stranger has no longer than others', async () => {
    await using front = await Http2Front.start((_request, response) => response.end(), { limits: { preAuth: '3s' } })
    const client = front.client()
    expect(await ask(client, { ':path': '/' })).toMatchObject({ status: 401 })
    expect((await front.line('session ended')).facts).toMatchObject({ reason: 'deadline' })
  })

  test('nor has one whose requests overlap', async () => {
    const over = { limits: { preAuth: '3s' }, http: { headerTimeout: '10m' } }
    await using front = await Http2Front.start((_request, response) => response.end(), over)
    const client = front.client()
    let told = false
    client.once('goaway', () => {
      told = true
    })
    // The rest of its content never comes.
    await once(client.request({ ':method': 'POST', ':path': '/' }, { endStream: false }), 'response')
    while (!told) await ask(client, { ':path': '/' })
    client.destroy()
    expect((await front.line('session ended')).facts).toMatchObject({ reason: 'deadline' })
  })

  test('whoever is signed in is no stranger', async () => {
    await using front = await Http2Front.start((_request, response) => response.end('here'), {
      limits: { preAuth: '3s' },
      http: { keepAlive: '4s' },
    })
    await ask(front.client(), GET)
    expect((await front.line('session ended')).facts).toMatchObject({ reason: 'idle' })
  })

  test('ends after too many failures', async () => {
    await using front = await Http2Front.start((_request, response) => response.end())
    const client = front.client()
    const wrong = `Basic ${Buffer.from('alice:wrong').toString('base64')}`
    for (let index = 0; index < 3; index += 1) {
      const got = await ask(client, { ':path': '/', authorization: wrong })
      expect(got).toMatchObject({ status: 401, code: 0 })
    }
    expect((await front.line('session ended')).facts).toMatchObject({ reason: 'too-many-failures' })
  })

  test('what is not HTTP/2 is no session for long', async () => {
    await using front = await Http2Front.start((_request, response) => response.end())
    const { ca } = testCertificates()
    const options = { host: '127.0.0.1', port: front.port, servername: 'localhost', ca: ca.certificate }
    const socket = connectTls({ ...options, ALPNProtocols: ['h2'] })
    socket.on('error', () => undefined).on('data', () => undefined)
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(socket, 'close')
    expect((await front.line('session ended')).facts).toMatchObject({ reason: 'not-this-protocol' })
  })
})

describe('a client of HTTP/2 that attacks', { timeout: 60_000 }, () => {
  const attacks: Readonly<Record<string, (index: number) => Buffer>> = {
    'takes its requests back': (index) => {
      const id = index * 2 + 1
      const reset = Buffer.alloc(4)
      reset.writeUInt32BE(constants.NGHTTP2_CANCEL)
      const fields = frame(HEADERS, END_HEADERS | END_STREAM, id, fieldBlock(FIELDS))
      return Buffer.concat([fields, frame(RST_STREAM, 0, id, reset)])
    },
    'sends malformed requests': (index) =>
      frame(HEADERS, END_HEADERS | END_STREAM, index * 2 + 1, fieldBlock([...FIELDS, ['connection', 'close']])),
    'asks PING and PING': () => frame(PING, 0, 0, Buffer.alloc(8)),
    'changes its SETTINGS all the time': () => frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 255, 255])),
    'sends empty DATA': (index) =>
      index === 0
        ? frame(HEADERS, END_HEADERS, 1, fieldBlock([[':method', 'PUT'], ...FIELDS.slice(1)]))
        : frame(DATA, 0, 1, Buffer.alloc(0)),
    'never ends its fields': (index) =>
      index === 0
        ? frame(HEADERS, 0, 1, fieldBlock(FIELDS))
        : frame(CONTINUATION, 0, 1, fieldBlock([[`x-${index}`, 'y'.repeat(100)]])),
    'sends fields that unpack to far more than was sent': (index) => {
      // A long field that is put into the table (RFC 7541 section 6.2.1), and then named again and again by one octet.
      const long = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, 0xb9, 0x16]), Buffer.alloc(3000, 'z')])
      const again = Buffer.alloc(5000, 0xbe)
      const block = Buffer.concat([fieldBlock(FIELDS), ...(index === 0 ? [long] : []), again])
      return frame(HEADERS, END_HEADERS | END_STREAM, index * 2 + 1, block)
    },
    'opens more streams than it may': (index) => frame(HEADERS, END_HEADERS, index * 2 + 1, fieldBlock(FIELDS)),
  }

  test.each(Object.entries(attacks))('%s: its connection ends, and nobody else is harmed', async (_label, next) => {
    await using front = await Http2Front.start((request, response) => {
      if (request.url === '/other') response.end('other')
    })
    const other = front.client()
    await ask(other, { ...GET, ':path': '/other' })
    await flood(await front.frames(), next)
    expect(await ask(other, { ...GET, ':path': '/other' })).toMatchObject({ status: 200, body: 'other', code: 0 })
    await expect.poll(() => front.frontEnd.sessions, { timeout: 60_000 }).toBe(1)
  })

  test('who does not read the answers holds no stream for ever', async () => {
    await using front = await Http2Front.start((_request, response) => response.end(Buffer.alloc(100_000)), {
      http: { keepAlive: '1s' },
    })
    const client = front.client()
    const stream = client.request(GET)
    await once(stream, 'response')
    stream.pause()
    stream.on('error', () => undefined)
    await once(stream, 'close')
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL)
  })
})
