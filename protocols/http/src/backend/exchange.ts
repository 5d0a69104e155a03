// SPDX-License-Identifier: MIT
import type { Leg, LegEnd, LegReader } from '@portico/net'
import type { BodyTaker, ClientExchange } from '../client/client-exchange.js'
import { type BodyDecoder, decoderFor } from '../codec/body.js'
import { asBuffer } from '../codec/chars.js'
import { responseFraming } from '../codec/framing.js'
import { checkPartialResponse, parseResponseHead, type ResponseHead } from '../codec/head.js'
import { HeadCollector } from '../codec/head-collector.js'
import type { ExchangeEnd, ExchangePlan } from './exchange-plan.js'
import { connectionOptions, formatResponse, persists, upgradeLines } from './headers.js'
import { longestRest } from './keep-alive.js'
import { upgradeGiven } from './upgrade.js'
import { Upload } from './upload.js'

/** A backend that sends more of these before its answer is not in its right mind. */
const MOST_INTERIM = 16

/** Puts one request to a backend and its response to the client; bodies stream both ways with back-pressure. */
export function exchange(plan: ExchangePlan): Promise<ExchangeEnd> {
  return new Promise((resolve) => new Exchange(plan, resolve).start())
}

class Exchange implements LegReader, BodyTaker {
  readonly #plan: ExchangePlan
  readonly #client: ClientExchange
  readonly #backend: Leg
  readonly #resolve: (end: ExchangeEnd) => void
  readonly #collector: HeadCollector
  readonly #upload: Upload
  #download: BodyDecoder | undefined
  /** The backend ends the content by closing. */
  #untilClose = false
  /** The backend's connection can go on, as far as the response tells. */
  #reusable = false
  #longestRest = Number.POSITIVE_INFINITY
  #status = 0
  #interim = 0
  #touched = false
  #excess = false
  /** How much of the last view was read. */
  #taken = 0
  #clientFinished = false
  #view: Buffer | undefined
  #end: ExchangeEnd | undefined
  #settled = false

  constructor(plan: ExchangePlan, resolve: (end: ExchangeEnd) => void) {
    this.#plan = plan
    this.#client = plan.client
    this.#backend = plan.backend
    this.#resolve = resolve
    this.#collector = new HeadCollector(plan.limits.head)
    this.#upload = new Upload(plan)
  }

  get wantsBody(): boolean {
    return !this.#upload.done && this.#end === undefined
  }

  start(): void {
    const { client, backend, head, responseTimeout, bodyTimeout, cancelled } = this.#plan
    if (cancelled !== undefined) cancelled.onAbort = () => this.#breakOff()
    if (this.#settled) return
    client.setBodyTimeout(this.#upload.done ? 0 : bodyTimeout)
    backend.setReader(this)
    backend.setIdle(responseTimeout)
    backend.writeText(head)
    if (backend.paused) backend.resume()
    client.attach(this)
  }

  #breakOff(): void {
    this.#end ??= { kind: 'broken', status: this.#status }
    this.#settle()
  }

  // From the backend.

  onBytes(view: Uint8Array): number {
    this.#touched = true
    this.#view = asBuffer(view)
    this.#client.batch(this.#consume)
    this.#view = undefined
    if (this.#end?.kind === 'switched') return this.#switched()
    if (this.#end === undefined && this.#client.needsDrain) this.#backend.pause()
    this.#settle()
    return view.length
  }

  /** What follows the head is the new protocol's: it stays in the leg for whoever reads there next. */
  #switched(): number {
    this.#backend.pause()
    this.#settle()
    return this.#taken
  }

  onDrain(): void {
    if (this.wantsBody) this.#upload.goOn()
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
    this.#taken = at
    this.#client.flush()
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
    if (parsed.kind === 'bad') this.#garbage()
    else if (parsed.status === 101) this.#switch(parsed)
    else if (parsed.status < 200) this.#passInterim(parsed)
    else this.#passHead(parsed)
    return end
  }

  /** 101 (Switching Protocols) to what was asked for; anything else is nonsense (RFC 9110 section 15.2.2). */
  #switch(head: ResponseHead): void {
    const { upgrades, view } = this.#plan
    const protocol = upgradeGiven(head, upgrades)
    const leg = this.#client.ownLeg
    if (protocol === undefined || leg === undefined) {
      this.#garbage()
      return
    }
    if (this.#clientFinished) {
      this.#end = { kind: 'client-gone' }
      return
    }
    const own = upgradeLines([protocol])
    leg.writeText(formatResponse({ head, options: connectionOptions(head.fields), own, view }))
    this.#end = { kind: 'switched' }
  }

  #passInterim(head: ResponseHead): void {
    this.#interim += 1
    if (this.#interim > MOST_INTERIM) this.#garbage()
    if (this.#end !== undefined) return
    this.#client.interim({ head, options: connectionOptions(head.fields), view: this.#plan.view })
  }

  #passHead(head: ResponseHead): void {
    const { method, view, fields, keep401 } = this.#plan
    const framing = responseFraming(head, method)
    // 407 is what a proxy asks for, and its challenge ends here (RFC 9110 section 15.5.8).
    if (framing.kind === 'bad' || head.status === 407) {
      this.#garbage()
      return
    }
    if (head.status === 401 && keep401) {
      this.#end = { kind: 'unauthorized' }
      return
    }
    const options = connectionOptions(head.fields)
    // A client whose body is still under way may be cut off when the answer is complete, so it is told now.
    const mayPersist = this.#upload.done && !this.#clientFinished && this.#plan.persist()
    this.#untilClose = framing.kind === 'until-close'
    // Broken programs send content after HEAD: coming late, it would be taken for the answer to somebody else.
    this.#reusable = !this.#untilClose && persists(head.minor, options) && method !== 'HEAD'
    if (this.#reusable) this.#longestRest = longestRest(head.fields)
    this.#status = head.status
    this.#client.respond({ head, framing, options, view, fields, mayPersist })
    this.#download = decoderFor(framing)
    if (this.#download.done) this.#answered()
  }

  #takeContent(view: Buffer, decoder: BodyDecoder): number {
    const taken = decoder.push(view)
    this.#client.content(view, decoder)
    if (decoder.fault !== undefined) this.#end = { kind: 'broken', status: this.#status }
    else if (decoder.done) this.#answered()
    return taken
  }

  #answered(): void {
    this.#client.finish()
    const [status, longest] = [this.#status, this.#longestRest]
    this.#end = { kind: 'answered', status, persist: this.#client.persists, reusable: false, longestRest: longest }
  }

  #garbage(): void {
    this.#end = { kind: 'unanswered', why: 'garbage', untouched: false }
  }

  #backendEnded(why: 'closed' | 'timeout'): void {
    if (this.#end !== undefined) {
      this.#excess = true
      return
    }
    if (this.#download === undefined) {
      this.#end = { kind: 'unanswered', why, untouched: !this.#touched && !this.#upload.begun }
    } else if (this.#untilClose && why === 'closed' && this.#backend.state !== 'closed') {
      this.#answered()
    } else {
      this.#end = { kind: 'broken', status: this.#status }
    }
    this.#settle()
  }

  // From the client.

  takeBody(view: Buffer): number {
    const taken = this.#upload.take(view)
    const why = this.#upload.fault
    if (why === undefined) return taken
    this.#end =
      this.#download === undefined ? { kind: 'bad-request-body', why } : { kind: 'broken', status: this.#status }
    this.#settle()
    return taken
  }

  clientDrained(): void {
    if (this.#backend.paused) this.#backend.resume()
  }

  /** A client may finish sending and still read; one that is dead looks the same, so it is not served for ever. */
  clientFinished(): void {
    this.#clientFinished = true
    if (!this.#upload.done) {
      this.clientGone()
      return
    }
    this.#client.limit(this.#plan.halfClosed)
    if (this.#plan.passesEnd) this.#backend.end()
  }

  clientGone(): void {
    this.#end ??= { kind: 'client-gone' }
    this.#settle()
  }

  #settle(): void {
    let end = this.#end
    if (end === undefined || this.#settled) return
    this.#settled = true
    const { cancelled } = this.#plan
    if (cancelled !== undefined) cancelled.onAbort = undefined
    this.#client.detach()
    if (end.kind === 'answered') {
      const clean = this.#upload.done && !this.#excess && this.#backend.state === 'open'
      end = {
        ...end,
        persist: end.persist && this.#upload.done && !this.#clientFinished,
        reusable: clean && this.#reusable,
      }
    }
    this.#resolve(end)
  }
}
