// SPDX-License-Identifier: MIT
import type { Leg, LegEnd, LegReader } from '@portico/net'
import type { BodyTaker, ClientReader } from './client-reader.js'
import { type BodyDecoder, decoderFor } from './codec/body.js'
import { asBuffer } from './codec/chars.js'
import { LAST_CHUNK, writeContent, writeJoined } from './codec/encode.js'
import type { Framing } from './codec/framing.js'
import { responseFraming } from './codec/framing.js'
import { checkPartialResponse, type HeadLimits, parseResponseHead, type ResponseHead } from './codec/head.js'
import { HeadCollector } from './codec/head-collector.js'
import { type Delivery, deliveryOf } from './delivery.js'
import { connectionOptions, formatResponse, persists } from './headers.js'

/** One request, ready to be put to a backend. */
export interface ExchangePlan {
  readonly reader: ClientReader
  readonly backend: Leg
  /** The head for the backend, as latin1 text. */
  readonly head: string
  readonly method: string
  readonly body: Framing
  readonly maxBody: number
  readonly clientMinor: 0 | 1
  /** Asked when the response's head is written: may the client's connection go on? */
  readonly persist: () => boolean
  readonly mapLocation: (value: string) => string
  /** The backend's 401 is a verdict for us and not for the client. */
  readonly keep401: boolean
  readonly limits: HeadLimits
  /** Milliseconds without an octet from or to the backend. */
  readonly responseTimeout: number
  /** Milliseconds for which a request body may stand still. */
  readonly bodyTimeout: number
  /** Milliseconds that a client which has finished sending is still served. */
  readonly halfClosed: number
}

/** How an exchange ended. Until `answered` or `broken` the client has got nothing of a final response. */
export type ExchangeEnd =
  | { readonly kind: 'answered'; readonly status: number; readonly persist: boolean; readonly reusable: boolean }
  /** The response broke off; the client has a part of it and must not take it for the whole. */
  | { readonly kind: 'broken'; readonly status: number }
  /** The backend said 401 and `keep401` was set. */
  | { readonly kind: 'unauthorized' }
  /** `untouched`: no octet came from the backend and none of the body was taken. */
  | { readonly kind: 'unanswered'; readonly why: 'closed' | 'timeout' | 'garbage'; readonly untouched: boolean }
  | { readonly kind: 'bad-request-body'; readonly tooLong: boolean }
  | { readonly kind: 'client-gone' }

/** A backend that sends more of these before its answer is not in its right mind. */
const MOST_INTERIM = 16

/** Puts one request to a backend and its response to the client; bodies stream both ways with back-pressure. */
export function exchange(plan: ExchangePlan): Promise<ExchangeEnd> {
  return new Promise((resolve) => new Exchange(plan, resolve).start())
}

class Exchange implements LegReader, BodyTaker {
  readonly #plan: ExchangePlan
  readonly #client: Leg
  readonly #backend: Leg
  readonly #resolve: (end: ExchangeEnd) => void
  readonly #collector: HeadCollector
  readonly #upload: BodyDecoder
  #uploaded = 0
  /** Octets of the body were taken, if only framing: it cannot be read again. */
  #begun = false
  #uploadView: Buffer | undefined
  #download: BodyDecoder | undefined
  #delivery: Delivery | undefined
  /** The response's head, until it is known whether content is already here to go with it. */
  #head = ''
  #status = 0
  #interim = 0
  #touched = false
  #excess = false
  #clientFinished = false
  #view: Buffer | undefined
  #end: ExchangeEnd | undefined
  #settled = false

  constructor(plan: ExchangePlan, resolve: (end: ExchangeEnd) => void) {
    this.#plan = plan
    this.#client = plan.reader.leg
    this.#backend = plan.backend
    this.#resolve = resolve
    this.#collector = new HeadCollector(plan.limits.head)
    this.#upload = decoderFor(plan.body)
  }

  get wantsBody(): boolean {
    return !this.#upload.done && this.#end === undefined
  }

  start(): void {
    const { reader, backend, head, responseTimeout, bodyTimeout } = this.#plan
    reader.setIdle(this.#upload.done ? 0 : bodyTimeout)
    backend.setReader(this)
    backend.setIdle(responseTimeout)
    backend.writeText(head)
    if (backend.paused) backend.resume()
    reader.attach(this)
  }

  // From the backend.

  onBytes(view: Uint8Array): number {
    this.#touched = true
    this.#view = asBuffer(view)
    this.#client.batch(this.#consume)
    this.#view = undefined
    if (this.#end === undefined && this.#client.needsDrain) this.#backend.pause()
    this.#settle()
    return view.length
  }

  onDrain(): void {
    if (this.wantsBody && this.#client.paused) this.#client.resume()
  }

  onPeerEnd(): void {
    this.#backendEnded('closed')
  }

  onEnd(why: LegEnd): void {
    this.#backendEnded(why.kind === 'idle' || why.kind === 'deadline' ? 'timeout' : 'closed')
  }

  readonly #consume = (): void => {
    const view = this.#view
    if (view === undefined) return
    let at = 0
    while (at < view.length && this.#end === undefined) {
      const rest = at === 0 ? view : view.subarray(at)
      at += this.#download === undefined ? this.#takeHead(rest) : this.#takeContent(rest, this.#download)
    }
    if (at < view.length) this.#excess = true
    this.#writeHead()
  }

  #writeHead(): void {
    if (this.#head === '') return
    this.#client.writeText(this.#head)
    this.#head = ''
  }

  #takeHead(view: Buffer): number {
    const end = this.#collector.push(view)
    if (end < 0) {
      const { partial } = this.#collector
      const fault = checkPartialResponse(partial, this.#collector.takeChecked(), this.#plan.limits)
      if (fault !== undefined) this.#garbage()
      return view.length
    }
    const parsed = parseResponseHead(this.#collector.head, this.#plan.limits)
    if (parsed.kind === 'bad' || parsed.status === 101) this.#garbage()
    else if (parsed.status < 200) this.#passInterim(parsed)
    else this.#passHead(parsed)
    return end
  }

  /** 100 (Continue), 102, 103: to a client that knows them (RFC 9110 section 15.2). */
  #passInterim(head: ResponseHead): void {
    this.#interim += 1
    if (this.#interim > MOST_INTERIM) this.#garbage()
    if (this.#end !== undefined || this.#plan.clientMinor === 0) return
    const options = connectionOptions(head.fields)
    this.#client.writeText(formatResponse({ ...head, options, own: '', mapLocation: this.#plan.mapLocation }))
  }

  #passHead(head: ResponseHead): void {
    const { method, clientMinor, mapLocation, keep401 } = this.#plan
    const framing = responseFraming(head, method)
    if (framing.kind === 'bad') {
      this.#garbage()
      return
    }
    if (head.status === 401 && keep401) {
      this.#end = { kind: 'unauthorized' }
      return
    }
    const options = connectionOptions(head.fields)
    // A client whose body is still under way may be cut off when the answer is complete, so it is told now.
    const wanted = this.#upload.done && !this.#clientFinished && this.#plan.persist()
    const delivery = deliveryOf(head, framing, clientMinor, wanted)
    // Broken programs send content after HEAD: coming late, it would be taken for the answer to somebody else.
    const reusable = delivery.reusable && persists(head.minor, options) && method !== 'HEAD'
    this.#delivery = { ...delivery, reusable }
    this.#status = head.status
    this.#head = formatResponse({ ...head, options, own: delivery.lines, mapLocation })
    this.#download = decoderFor(framing)
    if (this.#download.done) this.#answered()
  }

  #takeContent(view: Buffer, decoder: BodyDecoder): number {
    const taken = decoder.push(view)
    const chunked = this.#delivery?.chunked === true
    if (this.#head !== '' && !chunked && writeJoined(this.#client, this.#head, view, decoder)) this.#head = ''
    else {
      this.#writeHead()
      writeContent(this.#client, view, decoder, chunked)
    }
    if (decoder.fault !== undefined) this.#end = { kind: 'broken', status: this.#status }
    else if (decoder.done) {
      if (chunked) this.#client.writeText(LAST_CHUNK)
      this.#answered()
    }
    return taken
  }

  #answered(): void {
    const persist = this.#delivery?.persist === true
    this.#end = { kind: 'answered', status: this.#status, persist, reusable: false }
  }

  #garbage(): void {
    this.#end = { kind: 'unanswered', why: 'garbage', untouched: false }
  }

  #backendEnded(why: 'closed' | 'timeout'): void {
    if (this.#end !== undefined) {
      this.#excess = true
      return
    }
    const { untilClose, chunked } = this.#delivery ?? { untilClose: false, chunked: false }
    if (this.#download === undefined) {
      this.#end = { kind: 'unanswered', why, untouched: !this.#touched && !this.#begun }
    } else if (untilClose && why === 'closed' && this.#backend.state !== 'closed') {
      if (chunked) this.#client.writeText(LAST_CHUNK)
      this.#answered()
    } else {
      this.#end = { kind: 'broken', status: this.#status }
    }
    this.#settle()
  }

  // From the client.

  takeBody(view: Buffer): number {
    const taken = this.#upload.push(view)
    this.#begun ||= taken > 0
    this.#uploaded += this.#upload.size
    const tooLong = this.#uploaded > this.#plan.maxBody
    if (tooLong || this.#upload.fault !== undefined) {
      this.#end =
        this.#download === undefined ? { kind: 'bad-request-body', tooLong } : { kind: 'broken', status: this.#status }
      this.#settle()
      return taken
    }
    this.#uploadView = view
    this.#backend.batch(this.#writeUpload)
    this.#uploadView = undefined
    if (this.#upload.done) this.#plan.reader.setIdle(0)
    else if (this.#backend.needsDrain) this.#client.pause()
    return taken
  }

  readonly #writeUpload = (): void => {
    if (this.#uploadView === undefined) return
    const chunked = this.#plan.body.kind === 'chunked'
    writeContent(this.#backend, this.#uploadView, this.#upload, chunked)
    if (chunked && this.#upload.done) this.#backend.writeText(LAST_CHUNK)
  }

  clientDrained(): void {
    if (this.#backend.paused) this.#backend.resume()
  }

  /** A client may finish sending and still read; one that is dead looks the same, so it is not served for ever. */
  clientFinished(): void {
    this.#clientFinished = true
    if (this.#upload.done) this.#client.setDeadline(this.#plan.halfClosed)
    else this.clientGone()
  }

  clientGone(): void {
    this.#end ??= { kind: 'client-gone' }
    this.#settle()
  }

  #settle(): void {
    let end = this.#end
    if (end === undefined || this.#settled) return
    this.#settled = true
    this.#plan.reader.detach()
    if (end.kind === 'answered') {
      const clean = this.#upload.done && !this.#excess && this.#backend.state === 'open'
      end = {
        ...end,
        persist: end.persist && this.#upload.done && !this.#clientFinished,
        reusable: clean && this.#delivery?.reusable === true,
      }
    }
    this.#resolve(end)
  }
}
