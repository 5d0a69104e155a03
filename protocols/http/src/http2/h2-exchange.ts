// SPDX-License-Identifier: MIT
import type { ServerHttp2Stream } from 'node:http2'
import type { IdleTimer, TimerWheel } from '@portico/net'
import type { SessionRecord } from '@portico/telemetry'
import { formatResponse } from '../backend/headers.js'
import type { BackendResponse, BodyTaker, ClientExchange } from '../client/client-exchange.js'
import { lengthLine } from '../client/delivery.js'
import { type BodyDecoder, decoderFor } from '../codec/body.js'
import type { Framing } from '../codec/framing.js'
import { contentOf, formatReply, type Reply } from '../replies.js'
import { resetStream } from './reset-stream.js'
import { responseFields } from './response-fields.js'
import { StreamDecoder } from './stream-decoder.js'

const NOTHING = Buffer.alloc(0)
/** Octets that a client may be behind: above the stream's own mark, which every read of a backend would pass. */
const MARK = 65_536

/** The client's side of one request of HTTP/2: a stream. Its flow control is the back-pressure, both ways. */
export class H2Exchange implements ClientExchange {
  readonly ownLeg = undefined
  readonly version = '2'
  readonly persists = true
  readonly #stream: ServerHttp2Stream
  readonly #wheel: TimerWheel
  readonly #record: SessionRecord
  readonly #onWanted: () => void
  #taker: BodyTaker | undefined
  #decoder: StreamDecoder | undefined
  #bodyEnded = false
  #bodyTimer: IdleTimer | undefined
  /** The response's head, until it is known whether content follows. */
  #head: { readonly status: number; readonly text: string } | undefined

  /** `record` is told the octets of content, and `onWanted` that somebody will take some. */
  constructor(stream: ServerHttp2Stream, wheel: TimerWheel, record: SessionRecord, onWanted: () => void) {
    this.#stream = stream
    this.#wheel = wheel
    this.#record = record
    this.#onWanted = onWanted
    stream.on('drain', () => this.#taker?.clientDrained())
    stream.on('close', () => {
      this.setBodyTimeout(0)
      this.#taker?.clientGone({ kind: 'destroyed' })
    })
  }

  decoderFor(body: Framing): BodyDecoder {
    if (body.kind !== 'chunked') return decoderFor(body)
    this.#decoder = new StreamDecoder()
    return this.#decoder
  }

  attach(taker: BodyTaker): void {
    this.#taker = taker
    if (this.#stream.closed) taker.clientGone({ kind: 'destroyed' })
    else if (this.#bodyEnded) this.#endBody()
    else if (taker.wantsBody) {
      this.#onWanted()
      this.#stream.on('data', this.#onData).on('end', this.#onEnd)
      this.#stream.resume()
    }
  }

  detach(): void {
    this.#taker = undefined
    this.setBodyTimeout(0)
    this.#stream.pause()
    this.#stream.off('data', this.#onData).off('end', this.#onEnd)
  }

  setBodyTimeout(ms: number): void {
    this.#bodyTimer?.cancel()
    this.#bodyTimer = undefined
    if (ms > 0) this.#bodyTimer = this.#wheel.addIdle(ms, () => resetStream(this.#stream))
  }

  /** Not needed: a client that has finished with its connection is gone. */
  limit(): void {}

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    if (this.#taker !== undefined) this.#stream.resume()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bodyTimer?.touch()
    this.#record.bytesIn += chunk.length
    this.#taker?.takeBody(chunk)
  }

  /** node:http2 says so too when a stream breaks off, whose content must not be taken for the whole. */
  readonly #onEnd = (): void => {
    if (this.#stream.aborted || !this.#open) return
    this.#bodyEnded = true
    this.#endBody()
  }

  #endBody(): void {
    this.#decoder?.end()
    if (this.#decoder !== undefined) this.#taker?.takeBody(NOTHING)
  }

  get needsDrain(): boolean {
    return this.#stream.writableLength >= MARK
  }

  batch(fill: () => void): void {
    this.#stream.cork()
    try {
      fill()
    } finally {
      this.#stream.uncork()
    }
  }

  interim({ head, options, view }: Pick<BackendResponse, 'head' | 'options' | 'view'>): void {
    if (!this.#open) return
    const text = formatResponse({ head, options, own: '', view })
    this.#stream.additionalHeaders(responseFields(head.status, text))
  }

  goOn(): void {
    if (this.#open) this.#stream.additionalHeaders({ ':status': 100 })
  }

  respond({ head, framing, options, view, fields }: BackendResponse): void {
    const text = formatResponse({ head, options, own: fields + lengthLine(head, framing), view })
    this.#head = { status: head.status, text }
  }

  content(view: Buffer, { spans, size }: BodyDecoder): void {
    if (size === 0) return
    this.flush()
    if (!this.#open || this.#stream.writableEnded) return
    // The view dies with the call, and the stream keeps what it is given until the client's window lets it go.
    const bytes = Buffer.allocUnsafe(size)
    for (let index = 0, at = 0; index < spans.length; index += 2) {
      at += view.copy(bytes, at, spans[index], spans[index + 1])
    }
    this.#record.bytesOut += size
    this.#stream.write(bytes)
  }

  finish(): void {
    if (this.#head !== undefined) this.#sendHead(true)
    else if (this.#open) this.#stream.end()
  }

  flush(): void {
    if (this.#head !== undefined) this.#sendHead(false)
  }

  /** A reply of our own. */
  reply(reply: Reply, method: string, wallNow: number): void {
    if (this.#stream.headersSent) return
    const head = formatReply(reply, { persist: true, minor: 1, head: true, wallNow })
    const body = method === 'HEAD' ? NOTHING : contentOf(reply)
    this.#head = { status: reply.status, text: head }
    this.#sendHead(body.length === 0)
    if (body.length === 0 || !this.#open) return
    this.#record.bytesOut += body.length
    this.#stream.end(body)
  }

  #sendHead(endStream: boolean): void {
    const head = this.#head
    this.#head = undefined
    if (head === undefined || !this.#open) return
    this.#stream.respond(responseFields(head.status, head.text), { endStream })
  }

  get #open(): boolean {
    return !this.#stream.closed && !this.#stream.destroyed
  }
}
