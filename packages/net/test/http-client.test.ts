// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { CancellationSource, NEVER, systemClock } from '@portico/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HttpReplyReader } from '../src/http-reply.js'
import { createHttpClient, type HttpBody } from '../src/index.js'

const OK = 'HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n`

function read(text: string, cuts: readonly number[] = [], room = 0): HttpReplyReader {
  const reader = new HttpReplyReader(room)
  const bytes = Buffer.from(text, 'latin1')
  const edges = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length]
  for (let n = 1; n < edges.length; n += 1)
    if (reader.fault === undefined) reader.push(bytes.subarray(edges[n - 1], edges[n]))
  return reader
}

describe('a reply (RFC 9112)', () => {
  test.each([
    ['with a length', `${OK}Content-Length: 4\r\n\r\nbody`, true, true],
    ['without content', `${OK}Content-Length: 0\r\n\r\n`, true, true],
    ['in chunks', CHUNKED, true, true],
    [
      'behind 100 and 103',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n${OK}Content-Length: 1\r\n\r\nx`,
      true,
      true,
    ],
    ['204', 'HTTP/1.1 204 No Content\r\nAuth-Status: OK\r\n\r\n', true, true],
    ['that asks to close', `${OK}Connection: close\r\nContent-Length: 1\r\n\r\nx`, true, false],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nAuth-Status: OK\r\nContent-Length: 0\r\n\r\n', true, false],
    [
      'of HTTP/1.0 that stays',
      'HTTP/1.0 200 OK\r\nAuth-Status: OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n',
      true,
      true,
    ],
    ['that ends with its connection', `${OK}\r\nsome`, false, false],
    ['that is not all here', `${OK}Content-Length: 4\r\n\r\nbod`, false, false],
  ])('%s', (_label, text, done, reusable) => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 6 }), (cuts) => {
        const reader = read(text, cuts)
        expect(reader.fault).toBeUndefined()
        expect(reader.head?.headers['auth-status']).toBe('OK')
        expect([reader.done, reader.reusable]).toEqual([done, reusable])
      }),
    )
  })

  test.each([
    ['no HTTP', '* OK IMAP4rev1 ready\r\n'],
    ['another major version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching\r\n\r\n'],
    ['a folded line (section 5.2)', `${OK}X: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
    ['a space before the colon (section 5.1)', `${OK}X : a\r\nContent-Length: 0\r\n\r\n`],
    ['two lengths (section 6.3)', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`],
    ['length and chunks (section 6.3)', `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['another coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['a chunk without its size', `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
    ['a chunk longer than it says', `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
    ['more than a reply', `${OK}Content-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n`],
    ['an endless head', `${OK}X: ${'x'.repeat(20_000)}`],
    ['an endless body', `${OK}\r\n${'x'.repeat(70_000)}`],
    ['no end of interim replies', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(20)],
  ])('%s ends the connection', (_label, text) => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 6 }), (cuts) => {
        const reader = read(text, cuts)
        expect(reader.fault).toBeDefined()
        expect(reader.reusable).toBe(false)
      }),
      { numRuns: 20 },
    )
  })
})

describe('the body of a reply', () => {
  test.each([
    ['with a length', `${OK}Content-Length: 4\r\n\r\nbody`, 'body'],
    ['in chunks', CHUNKED, 'abc0123456789'],
    ['until the connection ends', `${OK}\r\nsome`, 'some'],
  ])('%s is kept where there is room', (_label, text, expected) => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 6 }), (cuts) => {
        const reader = read(text, cuts, 100)
        reader.close()
        expect([reader.done, reader.body]).toEqual([true, expected])
        expect(read(text, cuts).body).toBe('')
      }),
    )
  })

  test('ends with the connection only where it has no length', () => {
    const reader = read(`${OK}Content-Length: 4\r\n\r\nbod`, [], 100)
    reader.close()
    expect(reader.done).toBe(false)
  })
})

/** A server on loopback and a client of it; `connections` counts. */
async function serving(listen: (socket: Socket) => void, path: string, options: { readonly replyRoom?: number } = {}) {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    connections += 1
    socket.on('error', () => {})
    listen(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
  const client = createHttpClient({ url, timeoutMs: 5_000, clock: systemClock, ...options })
  return {
    client,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      client.close()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A service that says `say` to each question. */
function service(say: (socket: Socket, question: string, count: number) => void) {
  let questions = 0
  return serving((socket) => {
    let held = ''
    socket.on('data', (bytes) => {
      held += bytes.toString('latin1')
      for (let end = held.indexOf('\r\n\r\n'); end >= 0; end = held.indexOf('\r\n\r\n')) {
        questions += 1
        const question = held.slice(0, end)
        held = held.slice(end + 4)
        say(socket, question, questions)
      }
    })
  }, '/auth?x=1')
}

const SHORT = `${OK}Content-Length: 2\r\n\r\nok`

describe('the connections to a service', () => {
  test('an HTTP/1.0 service that closes behind each answer is asked over a new one each time', async () => {
    await using far = await service((socket) => socket.end('HTTP/1.0 200 OK\r\nAuth-Status: OK\r\n\r\n'))
    for (let n = 0; n < 3; n += 1) expect(await far.client.ask({}, NEVER)).toMatchObject({ kind: 'reply', status: 200 })
    expect(far.connections()).toBe(3)
  })

  test('the question is one request with every field on its own line', async () => {
    const asked: string[] = []
    await using far = await service((socket, question) => {
      asked.push(question)
      socket.write(SHORT)
    })
    await far.client.ask({ 'Auth-User': 'é'.normalize(), 'X-Empty': '', 'X-Two': ['a', 'b'] }, NEVER)
    expect(asked[0]).toMatch(
      /^GET \/auth\?x=1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nConnection: keep-alive\r\nAuth-User: é\r\nX-Empty: \r\nX-Two: a\r\nX-Two: b$/,
    )
  })

  test.each([
    ['a line break', { 'X-A': 'a\r\nAuth-User: root' }],
    ['a character whose low octet is a line feed', { 'X-A': 'a\u010ab' }],
    ['a name that is none', { 'X A': 'a' }],
    ['a body that does not follow', { 'Content-Length': '5' }],
  ])('a field with %s is never sent', async (_label, headers) => {
    await using far = await service((socket) => socket.write(SHORT))
    expect((await far.client.ask(headers, NEVER)).kind).toBe('failed')
    expect(far.connections()).toBe(0)
  })

  test('many questions at a time have at most 64, and all are answered', async () => {
    await using far = await service((socket) => void setImmediate(() => socket.write(SHORT)))
    const replies = await Promise.all(Array.from({ length: 300 }, () => far.client.ask({}, NEVER)))
    expect(replies.every(({ kind }) => kind === 'reply')).toBe(true)
    expect(far.connections()).toBeLessThanOrEqual(64)
  })

  test('a kept one that is closed after a part of the answer is not asked again', async () => {
    await using far = await service((socket, _question, count) => {
      if (count === 2) socket.end(OK)
      else socket.write(SHORT)
    })
    expect((await far.client.ask({}, NEVER)).kind).toBe('reply')
    expect((await far.client.ask({}, NEVER)).kind).toBe('failed')
    expect(far.connections()).toBe(1)
  })

  test('a question that is cancelled takes its connection along, so that no later one gets its answer', async () => {
    const signal = new CancellationSource()
    await using far = await service((socket, _question, count) => {
      if (count === 2) signal.abort('closed')
      socket.write(SHORT.replace('OK\r\nContent', `${count}\r\nContent`))
    })
    await far.client.ask({}, NEVER)
    expect((await far.client.ask({}, signal)).kind).toBe('failed')
    expect(await far.client.ask({}, NEVER)).toMatchObject({ headers: { 'auth-status': '3' } })
    expect(far.connections()).toBe(2)
  })

  test('a closed client ends what is under way and takes nothing new', async () => {
    let asked = () => {}
    const arrived = new Promise<void>((resolve) => {
      asked = resolve
    })
    await using far = await service(() => asked())
    const pending = far.client.ask({}, NEVER)
    await arrived
    far.client.close()
    expect((await pending).kind).toBe('failed')
    expect((await far.client.ask({}, NEVER)).kind).toBe('failed')
  })
})

/** A body of pieces of 64 KiB. `held`: whoever takes it has once asked to wait. */
function bodyOf(pieces: number): HttpBody & { readonly taken: () => number; readonly held: Promise<void> } {
  const piece = Buffer.alloc(65_536, 'x')
  let taken = 0
  let hold = () => {}
  const held = new Promise<void>((resolve) => {
    hold = resolve
  })
  return {
    size: pieces * piece.length,
    taken: () => taken,
    held,
    async read(take) {
      for (let n = 0; n < pieces; n += 1) {
        taken += 1
        const more = take(piece)
        if (more instanceof Promise) hold()
        if (!(await more)) return 'stopped'
      }
      return 'done'
    },
  }
}

/** A service that takes POSTs, and says `say` when all of one is there. */
function posting(say: (socket: Socket, size: number) => void, onHead: (socket: Socket) => void = () => {}) {
  return serving(
    (socket) => {
      let head = ''
      let left = 0
      let size = 0
      socket.on('data', (bytes) => {
        let body = bytes.length
        if (left === 0) {
          head += bytes.toString('latin1')
          const end = head.indexOf('\r\n\r\n')
          if (end < 0) return
          size = Number(/^POST .*\r\nContent-Length: (\d+)\r\n/s.exec(head)?.[1])
          left = size
          body = head.length - end - 4
          head = ''
          onHead(socket)
        }
        left -= body
        if (left === 0) say(socket, size)
      })
    },
    '/check',
    { replyRoom: 1_000 },
  )
}

describe('a question with a body', () => {
  test('is a POST that says its size; the connection serves again behind it', async () => {
    await using far = await posting((socket, size) =>
      socket.write(`${OK}Content-Length: ${String(size).length}\r\n\r\n${size}`),
    )
    for (const pieces of [1, 100]) {
      const reply = await far.client.ask({}, NEVER, bodyOf(pieces))
      expect(reply).toMatchObject({ kind: 'reply', status: 200, body: String(pieces * 65_536) })
    }
    expect(far.connections()).toBe(1)
  })

  test('a service that stops reading stops the body', async () => {
    const stop = new CancellationSource()
    await using far = await posting(
      () => {},
      (socket) => void socket.pause(),
    )
    const body = bodyOf(2_000)
    const asked = far.client.ask({}, stop, body)
    await body.held
    expect(body.taken()).toBeLessThan(2_000)
    stop.abort('closed')
    expect((await asked).kind).toBe('failed')
  })

  test('an answer before all is sent counts, and its connection does not serve again', async () => {
    await using far = await posting(
      () => {},
      (socket) => {
        socket.pause()
        socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n')
      },
    )
    for (let n = 1; n <= 2; n += 1) {
      expect(await far.client.ask({}, NEVER, bodyOf(2_000))).toMatchObject({ kind: 'reply', status: 413 })
      expect(far.connections()).toBe(n)
    }
  })

  test('a body that does not come whole is no question', async () => {
    await using far = await posting(() => {})
    const broken: HttpBody = { size: 10, read: () => Promise.resolve('failed') }
    expect((await far.client.ask({}, NEVER, broken)).kind).toBe('failed')
  })

  test('a kept connection that ends under it is replaced, and the body sent again', async () => {
    let count = 0
    await using far = await posting((socket) => {
      count += 1
      if (count === 2) socket.destroy()
      else socket.write(`${OK}Content-Length: 1\r\n\r\n${count}`)
    })
    expect(await far.client.ask({}, NEVER, bodyOf(1))).toMatchObject({ body: '1' })
    expect(await far.client.ask({}, NEVER, bodyOf(1))).toMatchObject({ body: '3' })
    expect(far.connections()).toBe(2)
  })
})
