// SPDX-License-Identifier: MIT
import type { Address, Cancellation, Clock } from '@portico/base'
import { connectLeg } from './connect.js'
import { type Exchanged, type HttpBody, HttpConnection, type HttpReply, type HttpRequest } from './http-connection.js'
import type { Leg } from './leg.js'
import type { TimerWheel } from './timer-wheel.js'
import { createTimerWheel } from './wheel.js'

/** Values by the names of their fields. */
type HttpFields = Readonly<Record<string, string | readonly string[]>>

/** Asks one URL, over connections that are kept. */
export interface HttpClient {
  /**
   * A GET, or with a body a POST. `headers`: values are Latin-1 without control characters; a list is as many fields. Settles always, within the time limit.
   * What it asks may be asked twice: a kept connection may end just then.
   */
  ask(headers: HttpFields, signal: Cancellation, body?: HttpBody): Promise<HttpReply>
  close(): void
}

export interface HttpClientOptions {
  readonly url: URL
  /** Host field; the URL's own when absent. */
  readonly host?: string
  readonly timeoutMs: number
  /** Octets of a reply's body that are kept; a longer one is a failure. When absent none is, and the head alone is the reply. */
  readonly replyRoom?: number
  readonly clock: Clock
}

const MAX_CONNECTIONS = 64
const MAX_IDLE_CONNECTIONS = 16

/**
 * A client of HTTP/1.1 over legs (RFC 9112), made for one thing: many questions to one service beside the mail that waits for the
 * answers. It is our own because a request of node:http costs as much as all the rest of a sign-in.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  return new KeptConnections(options)
}

type Refused = Extract<Exchanged, { kind: 'failed' }>

class KeptConnections implements HttpClient {
  readonly #options: HttpClientOptions
  readonly #wheel: TimerWheel
  readonly #address: Address
  readonly #start: string
  readonly #living = new Set<HttpConnection>()
  readonly #idle: HttpConnection[] = []
  /** Told of a connection that came free, or of room for a new one (undefined). */
  readonly #waiting = new Set<(connection: HttpConnection | undefined) => void>()
  #opening = 0
  #closed = false
  readonly #onRest = (connection: HttpConnection): void => this.#rest(connection)
  readonly #onGone = (connection: HttpConnection): void => this.#gone(connection)

  constructor(options: HttpClientOptions) {
    this.#options = options
    this.#wheel = createTimerWheel(options.clock)
    this.#address = addressOf(options.url)
    this.#start = requestStart(options)
  }

  async ask(headers: HttpFields, signal: Cancellation, body?: HttpBody): Promise<HttpReply> {
    if (signal.aborted || this.#closed) return failed('the lookup was cancelled')
    const head = formatHead(this.#start, headers, body)
    if (head === undefined) return failed('a header field of the question cannot be sent')
    const question = { head, body }
    const until = this.#options.clock.now() + this.#options.timeoutMs
    const first = await this.#exchange(question, until, signal, this.#idle.pop())
    // The service may close a kept connection at the moment we use it; what only asks may be asked again (RFC 9112 section 9.3.1).
    if (first.kind !== 'stale') return first
    const second = await this.#exchange(question, until, signal, undefined)
    return second.kind === 'stale' ? { kind: 'failed', cause: second.cause } : second
  }

  close(): void {
    this.#closed = true
    for (const connection of this.#living) connection.destroy()
    for (const serve of this.#waiting) serve(undefined)
  }

  async #exchange(
    question: HttpRequest,
    until: number,
    signal: Cancellation,
    kept: HttpConnection | undefined,
  ): Promise<Exchanged> {
    const connection = kept ?? (await this.#connection(until, signal))
    if ('kind' in connection) return connection
    return connection.ask(question, this.#left(until), signal)
  }

  /** A new connection, or, when there are as many as there may be, the next that comes free. */
  async #connection(until: number, signal: Cancellation): Promise<HttpConnection | Refused> {
    while (this.#living.size + this.#opening >= MAX_CONNECTIONS) {
      const freed = await this.#wait(until, signal)
      if (freed !== undefined) return freed
    }
    if (this.#closed || signal.aborted) return failed('the lookup was cancelled')
    this.#opening += 1
    const leg = await this.#open(until, signal)
    this.#opening -= 1
    if ('kind' in leg) {
      this.#serveNext(undefined)
      return leg
    }
    const connection = new HttpConnection(leg, this.#options.replyRoom ?? 0, this.#onRest, this.#onGone)
    this.#living.add(connection)
    if (!this.#closed && !signal.aborted) return connection
    connection.destroy()
    return failed('the lookup was cancelled')
  }

  #wait(until: number, signal: Cancellation): Promise<HttpConnection | Refused | undefined> {
    return new Promise((resolve) => {
      const leave = (outcome: HttpConnection | Refused | undefined): void => {
        this.#waiting.delete(leave)
        limit.cancel()
        signal.onAbort = undefined
        resolve(outcome)
      }
      const limit = this.#wheel.add(this.#left(until), () => leave(failed('the lookup took too long')))
      this.#waiting.add(leave)
      signal.onAbort = () => leave(failed('the lookup was cancelled'))
    })
  }

  async #open(until: number, signal: Cancellation): Promise<Leg | Refused> {
    const timing = { wheel: this.#wheel, timeoutMs: this.#left(until), signal }
    const connected = await connectLeg(this.#address, timing)
    if (connected.kind === 'failed') {
      return { kind: 'failed', cause: connected.cause ?? new Error(`the lookup service: ${connected.code}`) }
    }
    const { leg } = connected
    if (this.#options.url.protocol !== 'https:') return leg
    signal.onAbort = () => leg.destroy()
    const servername = hostOf(this.#options.url)
    const secured = await leg.upgradeClient({ servername, verify: true }, this.#left(until))
    signal.onAbort = undefined
    if (secured.kind === 'secure') return leg
    return { kind: 'failed', cause: secured.cause ?? new Error(`TLS to the lookup service: ${secured.reason}`) }
  }

  #rest(connection: HttpConnection): void {
    if (this.#closed) connection.destroy()
    else if (!this.#serveNext(connection)) {
      if (this.#idle.length < MAX_IDLE_CONNECTIONS) this.#idle.push(connection)
      else connection.destroy()
    }
  }

  #gone(connection: HttpConnection): void {
    this.#living.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#serveNext(undefined)
  }

  #serveNext(connection: HttpConnection | undefined): boolean {
    const [next] = this.#waiting
    next?.(connection)
    return next !== undefined
  }

  #left(until: number): number {
    return Math.max(1, until - this.#options.clock.now())
  }
}

function failed(why: string): Refused {
  return { kind: 'failed', cause: new Error(why) }
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

function addressOf(url: URL): Address {
  const standard = url.protocol === 'https:' ? 443 : 80
  return { kind: 'tcp', host: hostOf(url), port: url.port === '' ? standard : Number(url.port) }
}

/** All behind the method that is the same in every question. */
function requestStart({ url, host = url.host }: HttpClientOptions): string {
  let start = ` ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\n`
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    start += `Authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`
  }
  return start
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/
const FRAMING = new Set(['content-length', 'transfer-encoding'])

/** `undefined` for a field that would end its line early, that is none, or that says how long the body is. */
function formatHead(start: string, headers: HttpFields, body: HttpBody | undefined): string | undefined {
  let text = body === undefined ? `GET${start}` : `POST${start}Content-Length: ${body.size}\r\n`
  for (const name in headers) {
    if (!NAME.test(name) || FRAMING.has(name.toLowerCase())) return undefined
    const values = headers[name] ?? ''
    for (const value of typeof values === 'string' ? [values] : values) {
      if (NO_VALUE.test(value)) return undefined
      text += `${name}: ${value}\r\n`
    }
  }
  return `${text}\r\n`
}
