// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { ALICE, ask, fieldBlock, frame, frameTypes, Http2Front, read } from './http2-front.js'

const GET = { ':path': '/', ...ALICE }
const [DATA, HEADERS, RST_STREAM, GOAWAY] = [0, 1, 3, 7]
const END_HEADERS = 4
const PUT = { ...GET, ':method': 'PUT' }

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

/** A promise with its resolver. */
function signal<T>(): { readonly came: Promise<T>; readonly tell: (value: T) => void } {
  let tell: (value: T) => void = () => undefined
  const came = new Promise<T>((resolve) => {
    tell = resolve
  })
  return { came, tell }
}

describe('a request of HTTP/2', () => {
  test('takes the walk, and its backend sees HTTP/1.1', async () => {
    const seen: IncomingMessage[] = []
    await using front = await Http2Front.start((request, response) => {
      seen.push(request)
      response.writeHead(200, { 'Content-Length': 5, 'X-From': 'web', 'Set-Cookie': ['a=1', 'b=2'] }).end('hello')
    })
    const got = await ask(front.client(), { ...GET, ':path': '/dav/x?y=1', cookie: ['c=3', 'd=4'] })
    expect(got).toMatchObject({ status: 200, body: 'hello', code: 0 })
    expect(got.headers).toMatchObject({ 'x-from': 'web', 'set-cookie': ['a=1', 'b=2'], 'content-length': '5' })
    for (const name of ['connection', 'keep-alive', 'transfer-encoding']) expect(got.headers[name]).toBeUndefined()
    expect(seen[0]?.url).toBe('/dav/x?y=1')
    expect(seen[0]?.headers).toMatchObject({
      host: `localhost:${front.port}`,
      cookie: 'c=3; d=4',
      via: '2 portico',
      'x-forwarded-proto': 'https',
      authorization: ALICE.authorization,
    })
    const line = await front.line('request', { status: 200 })
    expect(line.facts).toMatchObject({ stream: 1, user: 'alice', method: 'GET' })
  })

  test('has content of known and of unknown length', async () => {
    const framings: unknown[] = []
    await using front = await Http2Front.start((request, response) => {
      framings.push([request.headers['content-length'], request.headers['transfer-encoding']])
      void textOf(request).then((text) => response.end(text.toUpperCase()))
    })
    const client = front.client()
    expect((await ask(client, PUT, 'abc')).body).toBe('ABC')
    expect((await ask(client, { ...PUT, 'content-length': '3' }, 'def')).body).toBe('DEF')
    expect((await ask(client, PUT, '')).body).toBe('')
    expect(framings).toEqual([
      [undefined, 'chunked'],
      ['3', undefined],
      [undefined, 'chunked'],
    ])
  })

  test('whose content is not as long as it says reaches nobody as a whole', async () => {
    const ends: string[] = []
    await using front = await Http2Front.start((request) => {
      request.on('end', () => ends.push('whole')).on('error', () => ends.push('broken'))
      request.resume()
    })
    for (const [length, octets] of [
      [5, 3],
      [3, 5],
      [0, 4],
    ] as const) {
      const socket = await front.frames()
      const fields = [
        [':method', 'PUT'],
        [':scheme', 'https'],
        [':authority', 'localhost'],
        [':path', '/'],
        ['authorization', ALICE.authorization],
        ['content-length', String(length)],
      ] as const
      // Newer versions of Node give the whole connection up for content beyond what was announced.
      const refused = new Promise<void>((resolve) => {
        let came = Buffer.alloc(0)
        socket.on('data', (chunk: Buffer) => {
          came = Buffer.concat([came, chunk])
          if (frameTypes(came).some((type) => type === RST_STREAM || type === GOAWAY)) resolve()
        })
      })
      socket.write(frame(1, 4, 1, fieldBlock(fields)))
      socket.write(frame(0, 1, 1, Buffer.alloc(octets, 'x')))
      await refused
    }
    const over = () =>
      front.lines.filter(({ message, facts: { status } }) => message === 'request' && status === 0).length
    while (over() < 3) await new Promise((resolve) => setImmediate(resolve))
    expect(ends).not.toContain('whole')
  })

  test('gets the head alone where there is no content', async () => {
    await using front = await Http2Front.start((request, response) => {
      const status = Number(request.url?.slice(1))
      response.writeHead(status, status === 204 ? {} : { 'Content-Length': '7' }).end()
    })
    const client = front.client()
    const head = await ask(client, { ...GET, ':method': 'HEAD', ':path': '/200' })
    expect(head).toMatchObject({ status: 200, body: '', code: 0, headers: { 'content-length': '7' } })
    expect(await ask(client, { ...GET, ':path': '/204' })).toMatchObject({ status: 204, body: '', code: 0 })
    const same = await ask(client, { ...GET, ':path': '/304' })
    expect(same).toMatchObject({ status: 304, body: '', code: 0, headers: { 'content-length': '7' } })
  })

  test('gets replies of our own', async () => {
    await using front = await Http2Front.start((_request, response) => response.end())
    const client = front.client()
    const unknown = await ask(client, { ':path': '/' })
    expect(unknown).toMatchObject({ status: 401, body: '401 Unauthorized\n', code: 0 })
    expect(unknown.headers['www-authenticate']).toContain('Basic realm="Mail"')
    expect(unknown.headers.date).toBeDefined()
    expect(await ask(client, { ':path': '/', ':method': 'HEAD' })).toMatchObject({ status: 401, body: '' })
    expect(await ask(client, { ...GET, ':path': '/a/../b' })).toMatchObject({ status: 400, code: 0 })
    expect(await ask(client, { ...GET, ':method': 'TRACE' })).toMatchObject({ status: 405, code: 0 })
    expect(await ask(client, { ':path': '/healthcheck.htm' })).toMatchObject({ status: 200, code: 0 })
    expect(front.frontEnd.sessions).toBe(1)
  })

  test('that is refused has its content dropped, and the connection goes on', async () => {
    await using front = await Http2Front.start((_request, response) => response.end('here'), {
      http: { discardBody: '64KiB' },
    })
    const client = front.client()
    const short = await ask(client, { ':path': '/', ':method': 'PUT' }, Buffer.alloc(1000))
    expect(short).toMatchObject({ status: 401, code: 0 })
    const long = client.request({ ':path': '/', ':method': 'PUT' })
    long.write(Buffer.alloc(200_000))
    expect(await read(long)).toMatchObject({ status: 401, code: constants.NGHTTP2_NO_ERROR })
    expect((await ask(client, GET)).body).toBe('here')
  })

  test('passes interim responses on', async () => {
    await using front = await Http2Front.start((request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      void textOf(request).then((text) => response.end(text))
    })
    front.backend.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      response.writeContinue()
      front.backend.emit('request', request, response)
    })
    const stream = front.client().request({ ...PUT, expect: '100-continue' })
    const interim: unknown[] = []
    stream.on('continue', () => {
      interim.push(100)
      stream.end('go')
    })
    stream.on('headers', (headers) => interim.push(headers[':status']))
    expect(await read(stream)).toMatchObject({ status: 200, body: 'go' })
    expect(interim).toEqual(expect.arrayContaining([100, 103]))
  })

  test('waits for nobody else', async () => {
    const waiting: ServerResponse[] = []
    const all = signal<void>()
    await using front = await Http2Front.start((request, response) => {
      if (request.url === '/quick') return void response.end('quick')
      if (waiting.push(response) === 60) all.tell()
    })
    const client = front.client()
    const slow = Array.from({ length: 60 }, (_, index) => ask(client, { ...GET, ':path': `/slow/${index}` }))
    await all.came
    expect((await ask(client, { ...GET, ':path': '/quick' })).body).toBe('quick')
    for (const response of waiting) response.end(response.req.url)
    const got = await Promise.all(slow)
    expect(got.map(({ body }) => body)).toEqual(slow.map((_, index) => `/slow/${index}`))
  })

  test('is not confused with the one of another user on the same connection', async () => {
    await using front = await Http2Front.start((request, response) => response.end(request.headers.authorization))
    const client = front.client()
    const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
    const users = [basic('alice', 'secret'), basic('bob', 'hush')]
    const asked = Array.from({ length: 40 }, (_, index) => users[index % 2] ?? '')
    const got = await Promise.all(asked.map((authorization) => ask(client, { ':path': '/', authorization })))
    expect(got.map(({ body }) => body)).toEqual(asked)
  })

  test('has its user in the log, also when they were known a moment ago', async () => {
    await using front = await Http2Front.start((_request, response) => response.end())
    const client = front.client()
    for (const path of ['/first', '/second']) await ask(client, { ':path': path, ...ALICE })
    expect((await front.line('request', { path: '/second' })).facts).toMatchObject({ user: 'alice' })
  })
})

describe('much content', { timeout: 60_000 }, () => {
  const SIZE = 12 * 1024 ** 2
  const bytes = Buffer.alloc(SIZE)
  for (let at = 0; at < SIZE; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) >>> 0, at)
  const digest = createHash('sha256').update(bytes).digest('hex')

  test('goes up and down whole, whoever is slow', async () => {
    await using front = await Http2Front.start((request, response) => {
      if (request.method === 'GET') return void response.end(bytes)
      const hash = createHash('sha256')
      request.on('data', (chunk: Buffer) => {
        hash.update(chunk)
        request.pause()
        setImmediate(() => request.resume())
      })
      request.on('end', () => response.end(hash.digest('hex')))
    })
    const client = front.client()
    const up = ask(client, PUT, bytes)
    const down = client.request(GET)
    const hash = createHash('sha256')
    for await (const chunk of down) hash.update(chunk as Buffer)
    expect(hash.digest('hex')).toBe(digest)
    expect((await up).body).toBe(digest)
  })

  test('a client that does not read stops its backend, and nobody else', async () => {
    let written = 0
    const stopped = signal<void>()
    await using front = await Http2Front.start((request, response) => {
      if (request.url === '/other') return void response.end('other')
      const more = (): void => {
        while (written < SIZE) {
          const next = bytes.subarray(written, written + 65_536)
          written += next.length
          if (!response.write(next)) {
            setTimeout(stopped.tell, 300)
            return void response.once('drain', more)
          }
        }
        response.end()
      }
      more()
    })
    const client = front.client()
    const stream = client.request(GET)
    await once(stream, 'response')
    await stopped.came
    expect((await ask(client, { ...GET, ':path': '/other' })).body).toBe('other')
    expect(written).toBeLessThan(SIZE)
    const hash = createHash('sha256')
    for await (const chunk of stream) hash.update(chunk as Buffer)
    expect(hash.digest('hex')).toBe(digest)
  })

  test('a backend that does not read stops its client', async () => {
    const go = signal<IncomingMessage>()
    await using front = await Http2Front.start((request, response) => {
      go.tell(request)
      request.on('end', () => response.end('read'))
    })
    const stream = front.client().request(PUT)
    const got = read(stream)
    let taken = 0
    const pump = (): void => {
      while (taken < SIZE) {
        const next = bytes.subarray(taken, taken + 65_536)
        taken += next.length
        if (!stream.write(next)) return void stream.once('drain', pump)
      }
      stream.end()
    }
    pump()
    const request = await go.came
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(taken).toBeLessThan(SIZE)
    request.resume()
    expect((await got).body).toBe('read')
  })
})

describe('a request of HTTP/2 that ends badly', () => {
  test('a backend that dies midway resets the stream and not the connection', async () => {
    await using front = await Http2Front.start((request, response) => {
      if (request.url === '/well') return void response.end('well')
      response.writeHead(200, request.url === '/counted' ? { 'Content-Length': 100 } : {})
      response.write('half', () => request.socket.destroy())
    })
    const client = front.client()
    for (const path of ['/counted', '/in-chunks']) {
      const got = await ask(client, { ...GET, ':path': path })
      expect(got).toMatchObject({ status: 200, body: 'half', code: constants.NGHTTP2_INTERNAL_ERROR })
    }
    expect((await ask(client, { ...GET, ':path': '/well' })).body).toBe('well')
  })

  test('a backend that closes or talks nonsense is 502, a silent one 504', async () => {
    await using front = await Http2Front.start(
      (request) => {
        if (request.url === '/close') request.socket.destroy()
        if (request.url === '/nonsense') request.socket.end('SMTP ready\r\n\r\n')
      },
      { http: { directories: [{ mount: '/', responseTimeout: '1s' }] } },
    )
    const client = front.client()
    expect(await ask(client, { ...GET, ':path': '/close' })).toMatchObject({ status: 502, code: 0 })
    expect(await ask(client, { ...GET, ':path': '/nonsense' })).toMatchObject({ status: 502, code: 0 })
    expect(await ask(client, { ...GET, ':path': '/silent' })).toMatchObject({ status: 504, code: 0 })
  })

  test('what a client takes back is ended at its backend', async () => {
    const came = signal<IncomingMessage>()
    await using front = await Http2Front.start((request) => came.tell(request))
    const stream = front.client().request(GET)
    stream.on('error', () => undefined)
    const request = await came.came
    const closed = once(request.socket, 'close')
    stream.close(constants.NGHTTP2_CANCEL)
    await closed
    expect((await front.line('request', { status: 0 })).facts).toMatchObject({ user: 'alice' })
  })

  test('so is all that a client had asked that is gone', async () => {
    const sockets: Promise<unknown>[] = []
    const all = signal<void>()
    await using front = await Http2Front.start((request) => {
      if (sockets.push(once(request.socket, 'close')) === 5) all.tell()
    })
    const client = front.client()
    for (let index = 0; index < 5; index += 1) client.request(GET).on('error', () => undefined)
    await all.came
    client.destroy()
    await Promise.all(sockets)
    const { facts } = await front.line('session ended')
    expect(facts).toMatchObject({ reason: 'client-closed', user: 'alice' })
  })

  const ways: Readonly<Record<string, (socket: TLSSocket) => void>> = {
    'taken back': (socket) => socket.write(frame(RST_STREAM, 0, 1, Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]))),
    'taken back without an error': (socket) => socket.write(frame(RST_STREAM, 0, 1, Buffer.alloc(4))),
    'lost with a connection that ends in order': (socket) => socket.end(),
    'lost with a connection that does not': (socket) => socket.destroy(),
  }

  test.each(Object.entries(ways))('content that is %s is no whole at its backend', async (_label, end) => {
    const came = signal<IncomingMessage>()
    await using front = await Http2Front.start((request) => {
      request.on('error', () => undefined).once('data', () => came.tell(request))
    })
    const socket = await front.frames()
    const fields = [
      [':method', 'PUT'],
      [':scheme', 'https'],
      [':authority', 'localhost'],
      [':path', '/'],
    ] as const
    const block = fieldBlock([...fields, ['authorization', ALICE.authorization]])
    socket.write(Buffer.concat([frame(HEADERS, END_HEADERS, 1, block), frame(DATA, 0, 1, Buffer.from('begin'))]))
    const request = await came.came
    const closed = new Promise((resolve) => request.once('close', resolve))
    end(socket)
    await closed
    expect(request.complete).toBe(false)
  })

  test('content that stops to come is not waited for', async () => {
    await using front = await Http2Front.start(() => undefined, { http: { bodyTimeout: '1s' } })
    const stream = front.client().request(PUT)
    stream.write('begin')
    expect((await read(stream)).code).toBe(constants.NGHTTP2_CANCEL)
  })
})
