// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { createServer, request as nodeRequest, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BASIC, Client, Front } from './harness.js'

const SIZE = 20 * 1024 * 1024
const BODY = Buffer.alloc(SIZE, createHash('sha256').update('seed').digest())
const HASH = createHash('sha256').update(BODY).digest('hex')

/** A backend made of node:http: it answers the hash of what it got, or what it was asked for. */
function nodeBackend(): { server: Server; play: (socket: Socket) => void } {
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      const chunked = request.url === '/chunked'
      response.writeHead(200, chunked ? {} : { 'Content-Length': SIZE })
      Readable.from(pieces(BODY)).pipe(response)
      return
    }
    const hash = createHash('sha256')
    request.on('data', (chunk: Buffer) => hash.update(chunk))
    request.on('end', () => response.end(`${request.headers['content-length'] ?? 'chunked'} ${hash.digest('hex')}`))
  })
  return { server, play: (socket) => void server.emit('connection', socket) }
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0, step = 1; at < bytes.length; at += step, step = (step * 7 + 11) % 70_001) {
    yield bytes.subarray(at, Math.min(bytes.length, at + step))
  }
}

function send(port: number, method: string, path: string, headers: object, body?: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const authorization = BASIC.slice('Authorization: '.length)
    const request = nodeRequest(
      { port, method, path, agent: false, headers: { authorization, ...headers } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
        response.on('end', () => resolve(Buffer.concat(chunks)))
      },
    )
    request.on('error', reject)
    if (body === undefined) request.end()
    else Readable.from(pieces(body)).pipe(request)
  })
}

describe('large bodies pass whole', () => {
  test.each([
    ['with a length', { 'Content-Length': SIZE }, `${SIZE} ${HASH}`],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }, `chunked ${HASH}`],
    ['with a length, after leave was given', { 'Content-Length': SIZE, Expect: '100-continue' }, `${SIZE} ${HASH}`],
  ])('20 MiB up %s', async (_label, headers, expected) => {
    const { play } = nodeBackend()
    await using front = await Front.start(play)
    expect((await send(front.port, 'PUT', '/', headers, BODY)).toString()).toBe(expected)
  })

  test.each(['/length', '/chunked'])('20 MiB down %s', async (path) => {
    const { play } = nodeBackend()
    await using front = await Front.start(play)
    const got = await send(front.port, 'GET', path, {})
    expect(createHash('sha256').update(got).digest('hex')).toBe(HASH)
  })
})

/** More than the buffers of all kernels and sockets on the way can hold. */
const FLOOD = 128 * 1024 * 1024
const PIECE = Buffer.alloc(64 * 1024, 'x')

/** Writes as much as the other side takes; tells how much that was so far. */
class Flood {
  sent = 0
  constructor(socket: Socket) {
    const next = (): void => {
      this.sent += PIECE.length
      if (this.sent < FLOOD) socket.write(PIECE, next)
    }
    socket.write(PIECE, next)
  }

  /** How much had been taken when nothing moved any more. */
  async standstill(): Promise<number> {
    let before = -1
    while (this.sent !== before) {
      before = this.sent
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    return before
  }
}

/** Resolves when so much has come. */
function received(socket: Socket, wanted: number): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.length
      if (seen >= wanted) resolve()
    })
  })
}

describe('back-pressure: no more is read than the other side takes', () => {
  test('a backend that does not read stops the client, and all arrives when it reads again', async () => {
    let arrived: (socket: Socket) => void = () => undefined
    const backend = new Promise<Socket>((resolve) => {
      arrived = resolve
    })
    await using front = await Front.start(
      (incoming) => {
        incoming.pause()
        arrived(incoming)
      },
      { settings: { directories: [{ mount: '/', maxBody: '1GiB' }] } },
    )
    const client = await Client.connect(front.port)
    client.send('PUT / HTTP/1.1', 'Host: x', BASIC, `Content-Length: ${FLOOD}`, 'Connection: close', '', '')
    const flood = new Flood(client.socket)
    const socket = await backend
    expect(await flood.standstill()).toBeLessThan(FLOOD / 2)
    const whole = received(socket, FLOOD)
    socket.resume()
    await whole
    socket.write('HTTP/1.1 204 No Content\r\n\r\n')
    expect(await client.toEnd()).toContain('204')
  })

  test('a client that does not read stops the backend, and all arrives when it reads again', async () => {
    let started: (flood: Flood) => void = () => undefined
    const flooding = new Promise<Flood>((resolve) => {
      started = resolve
    })
    await using front = await Front.start((incoming) => {
      incoming.once('data', () => {
        incoming.write(`HTTP/1.1 200 OK\r\nContent-Length: ${FLOOD}\r\n\r\n`)
        started(new Flood(incoming))
      })
    })
    const socket = connect({ port: front.port, host: '127.0.0.1' })
    socket.pause()
    socket.write(['GET / HTTP/1.1', 'Host: x', BASIC, 'Connection: close', '', ''].join('\r\n'))
    const flood = await flooding
    expect(await flood.standstill()).toBeLessThan(FLOOD / 2)
    const whole = received(socket, FLOOD)
    socket.resume()
    await whole
    socket.destroy()
  })
})

describe('any split of the octets gives the same exchange', () => {
  test('requests of every framing, cut anywhere', async () => {
    const seen: string[] = []
    await using front = await Front.start((socket) => {
      const server = nodeEcho(seen)
      server.emit('connection', socket)
    })
    const head = (line: string, ...more: string[]) => [line, 'Host: x', BASIC, ...more, '', ''].join('\r\n')
    const conversation =
      head('PUT /one HTTP/1.1', 'Content-Length: 5') +
      'hello' +
      head('GET /two HTTP/1.1') +
      head('POST /three HTTP/1.1', 'Transfer-Encoding: chunked') +
      '3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n' +
      head('GET /four HTTP/1.1', 'Connection: close')
    const whole = await converse(front.port, conversation, [conversation.length])
    expect(whole.match(/PUT \/one hello|GET \/two |POST \/three abcde|GET \/four /g)).toHaveLength(4)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 }), async (steps) => {
        expect(await converse(front.port, conversation, steps)).toBe(whole)
      }),
      { numRuns: 25 },
    )
    expect(await converse(front.port, conversation, [1])).toBe(whole)
  }, 60_000)
})

function nodeEcho(seen: string[]): Server {
  return createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1')
    })
    request.on('end', () => {
      const line = `${request.method} ${request.url} ${body}`
      seen.push(line)
      response.sendDate = false
      response.setHeader('Content-Length', line.length)
      response.end(line)
    })
  })
}

async function converse(port: number, text: string, steps: readonly number[]): Promise<string> {
  const client = await Client.connect(port)
  let at = 0
  for (let index = 0; at < text.length; index += 1) {
    const step = steps[index % steps.length] ?? 1
    await new Promise((resolve) => client.socket.write(text.slice(at, at + step), 'latin1', resolve))
    at += step
  }
  return client.toEnd()
}
