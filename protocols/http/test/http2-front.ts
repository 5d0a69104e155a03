// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Secret } from '@portico/base'
import { createFrontEnd, type FrontEnd } from '@portico/frontend'
import type { Log, LogFacts } from '@portico/telemetry'
import { temporaryFolder, testCertificates } from '@portico/testkit'
import { http } from '../src/index.js'

export const ALICE = { authorization: `Basic ${Buffer.from('alice:secret').toString('base64')}` }

/** A line of the log. */
export interface Line {
  readonly message: string
  readonly facts: LogFacts
}

/** A whole front end with TLS in front of one web server that the test plays. */
export class Http2Front {
  readonly frontEnd: FrontEnd
  readonly backend: Server
  readonly lines: Line[]
  /** To be changed and loaded again. */
  readonly config: Readonly<Record<string, unknown>>
  readonly #watchers: Set<() => void>
  readonly #clients: ClientHttp2Session[] = []
  readonly #sockets: Socket[] = []

  private constructor(
    frontEnd: FrontEnd,
    backend: Server,
    config: Readonly<Record<string, unknown>>,
    lines: Line[],
    watchers: Set<() => void>,
  ) {
    this.config = config
    this.frontEnd = frontEnd
    this.backend = backend
    this.lines = lines
    this.#watchers = watchers
  }

  static async start(listener: RequestListener, over: Readonly<Record<string, unknown>> = {}): Promise<Http2Front> {
    const backend = createServer(listener).listen(0, '127.0.0.1')
    await once(backend, 'listening')
    const users = join(temporaryFolder('portico-h2-'), 'users')
    writeFileSync(users, 'alice:{PLAIN}secret\nbob:{PLAIN}hush\n', { mode: 0o600 })
    const { server } = testCertificates()
    const lines: Line[] = []
    const watchers = new Set<() => void>()
    const config = {
      version: 1,
      tls: [{ names: ['localhost'], certificate: { text: server.certificate }, key: new Secret(server.key) }],
      listeners: [{ protocol: 'http', address: '127.0.0.1:0', tls: 'implicit' }],
      credentials: [{ type: 'users-file', path: users }],
      location: [{ type: 'hash', group: 'web' }],
      backends: {
        web: {
          identity: 'password',
          http: { endpoints: [`http://127.0.0.1:${(backend.address() as AddressInfo).port}`] },
        },
      },
      ...over,
    }
    const frontEnd = await createFrontEnd({ config, protocols: [http], log: keeping(lines, watchers) })
    return new Http2Front(frontEnd, backend, config, lines, watchers)
  }

  get port(): number {
    return this.frontEnd.listeners[0]?.port ?? 0
  }

  /** A client that speaks HTTP/2. */
  client(): ClientHttp2Session {
    const client = connect(`https://localhost:${this.port}`, {
      ca: testCertificates().ca.certificate,
      maxSessionMemory: 100,
    })
    client.on('error', () => undefined)
    this.#clients.push(client)
    return client
  }

  /** A connection on which the test writes frames itself; the preface is sent. */
  async frames(): Promise<TLSSocket> {
    const { ca } = testCertificates()
    const options = { host: '127.0.0.1', port: this.port, servername: 'localhost', ca: ca.certificate }
    const socket = connectTls({ ...options, ALPNProtocols: ['h2'] })
    this.#sockets.push(socket)
    socket.on('error', () => undefined).on('data', () => undefined)
    await once(socket, 'secureConnect')
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    socket.write(frame(4, 0, 0, Buffer.alloc(0)))
    return socket
  }

  /** The first line with this message and facts, as soon as there is one. */
  line(message: string, facts: LogFacts = {}): Promise<Line> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.lines.find((line) => line.message === message && holds(line.facts, facts))
        if (found === undefined) return
        this.#watchers.delete(look)
        resolve(found)
      }
      this.#watchers.add(look)
      look()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy()
    for (const socket of this.#sockets) socket.destroy()
    await this.frontEnd.close()
    this.backend.close()
    this.backend.closeAllConnections()
  }
}

function holds(facts: LogFacts, wanted: LogFacts): boolean {
  return Object.entries(wanted).every(([name, value]) => facts[name] === value)
}

function keeping(lines: Line[], watchers: Set<() => void>): Log {
  const at = (message: string, facts: LogFacts = {}) => {
    lines.push({ message, facts })
    for (const look of [...watchers]) look()
  }
  const log: Log = { debug: at, info: at, warn: at, error: at, child: () => log }
  return log
}

/** What came back for a request. */
export interface Got {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader
  readonly body: string
  /** How the stream ended: 0, or the code of its reset. */
  readonly code: number
}

/** Sends a request, with content when `body` is given, and reads the answer to its end. */
export function ask(client: ClientHttp2Session, fields: OutgoingHttpHeaders, body?: string | Buffer): Promise<Got> {
  const stream = client.request(fields, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  return read(stream)
}

/** Reads the answer on a stream to its end. Never rejects. */
export function read(stream: ClientHttp2Stream): Promise<Got> {
  return new Promise((resolve) => {
    let headers: Got['headers'] = {}
    let body = ''
    stream.setEncoding('utf8')
    stream.on('response', (came) => {
      headers = came
    })
    stream.on('data', (chunk: string) => {
      body += chunk
    })
    stream.on('error', () => undefined)
    stream.on('close', () =>
      resolve({ status: headers[':status'], headers, body, code: stream.rstCode ?? constants.NGHTTP2_NO_ERROR }),
    )
  })
}

/** A frame of HTTP/2 (RFC 9113 section 4.1). */
export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** The types of the whole frames in what was read. */
export function frameTypes(bytes: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3] ?? 0)
  return types
}

/** Literal fields without indexing, in HPACK (RFC 7541 section 6.2.2); names and values shorter than 127 octets. */
export function fieldBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [
      Buffer.from([0, name.length]),
      Buffer.from(name, 'latin1'),
      Buffer.from([value.length]),
      Buffer.from(value, 'latin1'),
    ]),
  )
}

/** Speaks TCP without TLS to the front end. */
export function plainSocket(port: number): Socket {
  return connectTcp({ host: '127.0.0.1', port })
}
