// SPDX-License-Identifier: MIT
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Timer } from '@portico/base'
import { isReset } from '@portico/net'
import type { Ended, Session } from '@portico/session'
import type { Shared } from '../client/connection.js'
import { FloodGauge } from './flood-gauge.js'
import { resetStream } from './reset-stream.js'
import { StreamCall, type StreamEnd } from './serve-stream.js'
import { sessionOptions, WINDOW } from './session-options.js'
import { settleStream } from './settle-stream.js'

/** How often it is asked, in milliseconds, whether a connection with content under way still stands. */
const LOOK_MS = 5_000

/** Serves HTTP/2 (RFC 9113): each stream is a request that takes the walk, all at the same time. */
export async function serveHttp2(session: Session, shared: Shared): Promise<Ended> {
  const served = new Http2Connection(session, shared)
  try {
    return await served.ended
  } finally {
    session.onDrain = undefined
    session.signal.onAbort = undefined
  }
}

class Http2Connection {
  readonly ended: Promise<Ended>
  readonly #session: Session
  readonly #shared: Shared
  readonly #socket: Socket
  readonly #h2: ServerHttp2Session
  readonly #gauge: FloodGauge
  readonly #calls = new Set<StreamCall>()
  /** Until when the client may be a stranger. */
  readonly #until: number
  #timer: Timer | undefined
  #look: Timer | undefined
  #why: Ended | undefined
  #bug: { readonly error: unknown } | undefined
  #closed = false
  #wide = false
  #settle: (() => void) | undefined

  constructor(session: Session, shared: Shared) {
    const { clock, limits } = session.services
    this.#session = session
    this.#shared = shared
    this.#gauge = new FloodGauge(clock)
    this.#until = clock.now() + limits.preAuth
    this.ended = new Promise((resolve, reject) => {
      this.#settle = () => {
        if (this.#bug === undefined) resolve(this.#why ?? 'client-closed')
        else reject(this.#bug.error)
      }
    })
    this.#socket = session.leg.release().socket
    this.#h2 = performServerHandshake(this.#socket, sessionOptions(shared.prepared.settings))
    this.#listen()
    this.#awaitRequest()
  }

  #listen(): void {
    const costly = () => this.#costly()
    this.#h2
      .on('stream', (stream: ServerHttp2Stream, _fields: unknown, flags: number, raw: string[]) =>
        this.#begin(stream, flags, raw),
      )
      .on('ping', costly)
      .on('remoteSettings', costly)
      .on('error', (error) => this.#failed(error))
      .on('close', () => this.#over())
    // Half of a connection is of no use to anybody who has streams.
    this.#socket.on('end', () => this.#drop())
    this.#session.onDrain = () => this.#leave('draining')
    this.#session.signal.onAbort = (reason) => {
      this.#why ??= reason === 'draining' ? 'draining' : undefined
      for (const { session } of this.#calls) session.signal.abort(reason)
      if (reason === 'closed') this.#h2.destroy()
      else this.#leave('draining')
    }
  }

  #begin(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    stream.on('error', () => undefined)
    // Requests that were taken back no longer count for the client, and may still be under way here.
    if (this.#calls.size >= 2 * this.#shared.prepared.settings.streams) {
      resetStream(stream, constants.NGHTTP2_ENHANCE_YOUR_CALM)
      this.#costly()
      return
    }
    this.#timer?.cancel()
    if (this.#isTimeUp) this.#leave('deadline')
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    if (!ended) this.#watch()
    void this.#serve(new StreamCall(this.#session, this.#shared, { stream, raw, ended }, () => this.#widen()), stream)
  }

  /**
   * node:http2 does not read while a write is on its way, and for TLS the one after a write that failed is so for ever. It never
   * comes to the reset behind octets which it has not read, and an upload that broke off would keep its place at the backend.
   */
  #watch(): void {
    this.#look ??= this.#session.services.wheel.add(LOOK_MS, () => {
      this.#look = undefined
      if (isReset(this.#socket)) this.#drop()
      else if (this.#calls.size > 0) this.#watch()
    })
  }

  /** A stranger's time has run out. Whose requests overlap is never quiet, and would stay one for ever. */
  get #isTimeUp(): boolean {
    if (this.#shared.admitted || this.#session.services.clock.now() < this.#until) return false
    return ![...this.#calls].some(({ session }) => session.record.mechanism !== undefined)
  }

  /** What is on its way is held for each stream: that is more for those whom we know. */
  #widen(): void {
    if (this.#wide || this.#h2.closed || this.#h2.destroyed) return
    this.#wide = true
    this.#h2.settings({ initialWindowSize: WINDOW })
  }

  async #serve(call: StreamCall, stream: ServerHttp2Stream): Promise<void> {
    this.#calls.add(call)
    try {
      this.#react(await call.serve())
      await settleStream(stream, this.#session.services.wheel, this.#shared.prepared.settings)
    } catch (error) {
      // The others are answered, then the host is told.
      this.#bug ??= { error }
      this.#leave('server-bug')
    }
    this.#calls.delete(call)
    this.#session.record.absorb(call.session.record)
    if (this.#calls.size === 0) this.#quiet()
  }

  #react(end: StreamEnd): void {
    if (end === 'malformed' || end === 'taken-back') this.#costly()
    if (end !== 'turned-away') return
    const { failures } = this.#shared
    this.#leave(failures >= this.#session.services.limits.failures ? 'too-many-failures' : 'refused')
  }

  /** No request is under way. */
  #quiet(): void {
    if (this.#closed) this.#settle?.()
    else if (this.#h2.closed) this.#linger()
    else this.#awaitRequest()
  }

  #awaitRequest(): void {
    const { clock, wheel } = this.#session.services
    const stranger = this.#shared.admitted ? Number.POSITIVE_INFINITY : this.#until - clock.now()
    const { keepAlive } = this.#shared.prepared.settings
    const why = stranger < keepAlive ? 'deadline' : 'idle'
    this.#timer = wheel.add(Math.max(1, Math.min(keepAlive, stranger)), () => this.#leave(why))
  }

  /** GOAWAY: what has been begun is answered, the rest the client may ask elsewhere (RFC 9113 section 6.8). */
  #leave(why: Ended): void {
    this.#why ??= why
    if (this.#h2.closed || this.#h2.destroyed) return
    this.#h2.close()
    if (this.#calls.size === 0) this.#linger()
  }

  /** The client gets the last octets and not a reset that overtakes them; then it is not waited for. */
  #linger(): void {
    this.#timer?.cancel()
    this.#timer = this.#session.services.wheel.add(this.#session.services.limits.linger, () => this.#drop())
  }

  #costly(): void {
    if (this.#gauge.take() || this.#h2.destroyed) return
    const { log } = this.#session.services
    if (this.#why === undefined) log.warn('client floods', { session: this.#session.id, client: this.#shared.peer })
    this.#why ??= 'too-many-errors'
    this.#h2.destroy(new Error('flood'), constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  /** What came is no HTTP/2, or breaks its rules; an error of the system is a client that went. */
  #failed(error: NodeJS.ErrnoException): void {
    if (error.syscall !== undefined) return
    this.#why ??= this.#session.record.user === undefined ? 'not-this-protocol' : 'too-many-errors'
  }

  #drop(): void {
    this.#h2.destroy()
    this.#socket.destroy()
  }

  #over(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#look?.cancel()
    this.#socket.destroy()
    if (this.#calls.size === 0) this.#settle?.()
  }
}
