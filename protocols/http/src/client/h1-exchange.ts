// SPDX-License-Identifier: MIT
import type { Leg } from '@portico/net'
import { formatResponse } from '../backend/headers.js'
import { type BodyDecoder, decoderFor } from '../codec/body.js'
import { LAST_CHUNK, writeContent } from '../codec/encode.js'
import type { Framing } from '../codec/framing.js'
import { formatReply, type Reply } from '../replies.js'
import type { BackendResponse, BodyTaker, ClientExchange } from './client-exchange.js'
import type { ClientReader } from './client-reader.js'
import { deliveryOf } from './delivery.js'
import type { Incoming } from './incoming.js'

/** What an {@link H1Exchange} takes from its surroundings. */
export interface H1Options {
  /** A refused request has its body read and dropped up to so many octets. */
  readonly discardBody: number
  /** For Date, in milliseconds. */
  readonly wallNow: () => number
}

/** The client's side of the requests of one HTTP/1.x connection, one after the other. */
export class H1Exchange implements ClientExchange {
  readonly ownLeg: Leg
  readonly #reader: ClientReader
  readonly #options: H1Options
  #minor: 0 | 1 = 1
  #wantsMore = false
  /** The response's head, until it is known whether content is already here to go with it. */
  #head = ''
  #chunked = false
  /** Finds the content of the present request, once somebody has asked for it. */
  #decoder: BodyDecoder | undefined
  persists = false

  constructor(reader: ClientReader, options: H1Options) {
    this.#reader = reader
    this.ownLeg = reader.leg
    this.#options = options
  }

  /** The next request. */
  begin({ head, persist }: Incoming): void {
    this.#minor = head.minor
    this.#wantsMore = persist
    this.#head = ''
    this.#decoder = undefined
  }

  get version(): '1.0' | '1.1' {
    return this.#minor === 0 ? '1.0' : '1.1'
  }

  decoderFor(body: Framing): BodyDecoder {
    this.#decoder = decoderFor(body)
    return this.#decoder
  }

  attach(taker: BodyTaker): void {
    this.#reader.attach(taker)
  }

  detach(): void {
    this.#reader.detach()
  }

  setBodyTimeout(ms: number): void {
    this.#reader.setIdle(ms)
  }

  limit(ms: number): void {
    this.ownLeg.setDeadline(ms)
  }

  pause(): void {
    this.ownLeg.pause()
  }

  resume(): void {
    if (this.ownLeg.paused) this.ownLeg.resume()
  }

  get needsDrain(): boolean {
    return this.ownLeg.needsDrain
  }

  batch(fill: () => void): void {
    this.ownLeg.batch(fill)
  }

  interim({ head, options, view }: Pick<BackendResponse, 'head' | 'options' | 'view'>): void {
    if (this.#minor === 0) return
    this.ownLeg.writeText(formatResponse({ head, options, own: '', view }))
  }

  goOn(): void {
    this.ownLeg.writeText('HTTP/1.1 100 Continue\r\n\r\n')
  }

  respond({ head, framing, options, view, fields, mayPersist }: BackendResponse): void {
    const delivery = deliveryOf(head, framing, this.#minor, mayPersist && this.#wantsMore)
    this.#chunked = delivery.chunked
    this.persists = delivery.persist
    this.#head = formatResponse({ head, options, own: fields + delivery.lines, view })
  }

  content(view: Buffer, decoder: BodyDecoder): void {
    this.flush()
    writeContent(this.ownLeg, view, decoder, this.#chunked)
  }

  finish(): void {
    this.flush()
    if (this.#chunked) this.ownLeg.writeText(LAST_CHUNK)
  }

  flush(): void {
    if (this.#head === '') return
    this.ownLeg.writeText(this.#head)
    this.#head = ''
  }

  /**
   * Sends a reply of our own and gets rid of the request's body. True: the connection can go on. Where the body is too long to
   * be dropped, or the client waits for leave to send it (RFC 9110 section 10.1.1), the connection ends.
   */
  async reply(request: Incoming, reply: Reply, mayPersist: boolean): Promise<boolean> {
    const { head, body } = request
    const persist = mayPersist && request.persist && this.#canDrop(request)
    const frame = { persist, minor: head.minor, head: head.method === 'HEAD', wallNow: this.#options.wallNow() }
    this.ownLeg.writeText(formatReply(reply, frame))
    if (!persist) return false
    if (body.kind === 'none' || this.#decoder?.done === true) return true
    return dropBody(this.#reader, this.#decoder ?? decoderFor(body), this.#options.discardBody)
  }

  /** Sends a last reply to what is no request. */
  refuse(reply: Reply): void {
    const frame = { persist: false, minor: 1, head: false, wallNow: this.#options.wallNow() } as const
    this.ownLeg.writeText(formatReply(reply, frame))
  }

  #canDrop({ body, expectsContinue }: Incoming): boolean {
    if (body.kind === 'none' || (body.kind === 'length' && body.length === 0)) return true
    if (this.#decoder?.done === true) return true
    const { discardBody } = this.#options
    return !expectsContinue && (body.kind === 'chunked' || (body.kind === 'length' && body.length <= discardBody))
  }
}

/** Reads a body to its end and forgets it. False: it is longer than `limit`, broken, or the client went away. */
function dropBody(reader: ClientReader, decoder: BodyDecoder, limit: number): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (whole: boolean): void => {
      reader.detach()
      resolve(whole)
    }
    let left = limit
    const taker: BodyTaker = {
      get wantsBody() {
        return !decoder.done && left >= 0
      },
      takeBody(view) {
        const taken = decoder.push(view)
        left -= taken
        if (decoder.done) finish(true)
        else if (left < 0 || decoder.fault !== undefined) finish(false)
        return taken
      },
      clientDrained() {},
      clientFinished: () => finish(decoder.done),
      clientGone: () => finish(false),
    }
    if (decoder.done) return finish(true)
    reader.hurryBody()
    reader.attach(taker)
  })
}
