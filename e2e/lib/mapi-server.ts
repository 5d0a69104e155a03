// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { CODE, REQUEST_TYPES, RESPONSE_BODIES, type RequestType, ropsIn } from './mapi-words.js'

/** A request that has come. */
export interface MapiArrival {
  readonly type: string
  /** Who it is from, as the field X-User says. */
  readonly user: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  /** Equal for requests of one connection. */
  readonly socket: Socket
}

/** A request that is being worked on: its client has the head and PROCESSING. */
export interface MapiWork {
  readonly user: string | undefined
  /** Says that it goes on. A server does so each X-PendingPeriod. */
  pending(): void
  done(): void
  /** The connection breaks. */
  die(): void
  /** The connection has ended. */
  readonly gone: Promise<void>
}

interface Context {
  readonly user: string
  sequence: string
  busy: boolean
}

/** What a request may do to its context: which needs the sequence cookie, and excludes other requests of the kind. */
const OPENING: ReadonlySet<RequestType> = new Set(['Connect', 'Bind'])
const CLOSING: ReadonlySet<RequestType> = new Set(['Disconnect', 'Unbind'])
const OUTSIDE_SEQUENCE: ReadonlySet<RequestType> = new Set(['NotificationWait', 'PING'])

/**
 * Stands in for a mailbox server that speaks MAPI over HTTP ([MS-OXCMAPIHTTP] section 3.2) and believes the field X-User. A ROP buffer
 * comes back as it went; one of `wait`, and each NotificationWait, is worked on until the test ends it.
 */
export class MapiServer implements AsyncDisposable {
  readonly name: string
  readonly arrivals: MapiArrival[] = []
  /** Requests that are read to their end, whereupon the connection is closed. */
  closeNext = 0
  readonly #contexts = new Map<string, Context>()
  readonly #works: MapiWork[] = []
  readonly #askers: ((work: MapiWork) => void)[] = []
  readonly #sockets = new Set<Socket>()
  #server: Server
  #port = 0

  constructor(name: string) {
    this.name = name
    this.#server = this.#create()
  }

  get port(): number {
    return this.#port
  }

  /** Contexts that are open. */
  get contexts(): number {
    return this.#contexts.size
  }

  async start(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** The next work that nobody has asked for yet. */
  work(): Promise<MapiWork> {
    const work = this.#works.shift()
    return work === undefined ? new Promise((resolve) => this.#askers.push(resolve)) : Promise.resolve(work)
  }

  /** It is gone at once, and forgets its contexts; `start` brings it back on its port. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    this.#contexts.clear()
    await closed
    this.#server = this.#create()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  #create(): Server {
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy())
    })
    server.on('connection', (socket) => {
      socket.setNoDelay(true)
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    return server
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    const body = await buffer(request)
    const user = request.headers['x-user'] as string | undefined
    const { url, headers, socket } = request
    this.arrivals.push({ type: String(headers['x-requesttype']), user, url, headers, socket })
    if (this.closeNext > 0) {
      this.closeNext -= 1
      socket.destroy()
      return
    }
    const fault = faultOf(request)
    if (fault !== undefined || user === undefined) return fail(response, fault ?? CODE.anonymous)
    const type = headers['x-requesttype'] as RequestType
    const rops = type === 'Execute' ? ropsIn(body) : Buffer.alloc(0)
    if (rops === undefined) return fail(response, CODE.invalidBody)
    const context = this.#contextFor(type, user, cookiesOf(request))
    if (typeof context === 'number') return fail(response, context)
    this.#answer(request, response, { type, user, context, rops })
  }

  /** The context that a request belongs to; a code where it may not (sections 3.2.5.1 to 3.2.5.5). */
  #contextFor(type: RequestType, user: string, cookies: ReadonlyMap<string, string>): Context | number {
    const id = cookies.get('MapiContext')
    if (OPENING.has(type)) return { user, sequence: '', busy: false }
    if (id === undefined) return CODE.missingCookie
    const context = this.#contexts.get(id)
    if (context === undefined || context.user !== user) return CODE.contextNotFound
    if (OUTSIDE_SEQUENCE.has(type)) return context
    const sequence = cookies.get('MapiSequence')
    if (sequence === undefined) return CODE.missingCookie
    if (context.busy || sequence !== context.sequence) return CODE.invalidSequence
    if (CLOSING.has(type)) this.#contexts.delete(id)
    return context
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    { type, user, context, rops }: { type: RequestType; user: string; context: Context; rops: Buffer },
  ): void {
    const began = Date.now()
    response.writeHead(200, [...this.#fields(request), ...this.#cookies(type, context)])
    response.write('PROCESSING\r\n')
    const sequenced = !OUTSIDE_SEQUENCE.has(type)
    if (sequenced) context.busy = true
    const over = (): void => {
      if (sequenced) context.busy = false
    }
    const gone = new Promise<void>((resolve) => response.once('close', () => resolve(over())))
    const done = (): void => {
      over()
      const times = `X-ElapsedTime: ${Date.now() - began}\r\nX-StartTime: ${new Date(began).toUTCString()}\r\n`
      response.write(`DONE\r\nX-ResponseCode: 0\r\n${times}\r\n`)
      response.end(RESPONSE_BODIES[type](rops))
    }
    const work = { user, pending: () => response.write('PENDING\r\n'), done, die: () => request.socket.destroy(), gone }
    if (type !== 'NotificationWait' && rops.toString() !== 'wait') {
      done()
      return
    }
    const asker = this.#askers.shift()
    if (asker === undefined) this.#works.push(work)
    else asker(work)
  }

  #fields({ headers }: IncomingMessage): string[] {
    return [
      ...['Content-Type', 'application/mapi-http', 'X-RequestType', String(headers['x-requesttype'])],
      ...['X-RequestId', String(headers['x-requestid']), 'X-ClientInfo', String(headers['x-clientinfo'])],
      ...['X-ResponseCode', '0', 'X-ServerApplication', 'StandIn/15.01.0001.000', 'X-PendingPeriod', '15000'],
      ...['X-ExpirationInfo', '900000', 'X-DeviceInfo', this.name],
    ]
  }

  /** A context has its cookie from its beginning to its end; the sequence cookie is another with each request that it counts. */
  #cookies(type: RequestType, context: Context): string[] {
    if (CLOSING.has(type) || OUTSIDE_SEQUENCE.has(type)) return []
    const cookies = []
    if (OPENING.has(type)) {
      const id = `${this.name}:${randomBytes(12).toString('base64')}`
      this.#contexts.set(id, context)
      cookies.push('Set-Cookie', `MapiContext=${id}; path=/mapi; secure; HttpOnly`)
    }
    context.sequence = randomBytes(6).toString('base64')
    return [...cookies, 'Set-Cookie', `MapiSequence=${context.sequence}; path=/mapi; secure; HttpOnly`]
  }
}

/** What is wrong with the head of a request, before anybody looks at who it is from. */
function faultOf({ method, url, headers }: IncomingMessage): number | undefined {
  if (method !== 'POST') return CODE.invalidVerb
  if (!/^\/mapi\/(?:emsmdb|nspi)\/\?/.test(url ?? '')) return CODE.invalidPath
  const required = ['content-type', 'x-requesttype', 'x-requestid', 'x-clientinfo', 'x-clientapplication']
  if (required.some((name) => headers[name] === undefined)) return CODE.missingHeader
  const known = (REQUEST_TYPES as readonly string[]).includes(String(headers['x-requesttype']))
  return known ? undefined : CODE.invalidRequestType
}

/** A failure is told with 200 and a text for people (section 2.2.2.2). */
function fail(response: ServerResponse, code: number): void {
  response.writeHead(200, { 'Content-Type': 'text/html', 'X-ResponseCode': code }).end(`<p>${code}</p>`)
}

function cookiesOf({ headers }: IncomingMessage): ReadonlyMap<string, string> {
  const pairs = headers.cookie?.split('; ') ?? []
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}
