// SPDX-License-Identifier: MIT
import type { Leg, LegEnd, LegReader } from '@portico/net'
import { asBuffer, CR, LF } from '../codec/chars.js'
import {
  type BadHead,
  checkPartialRequest,
  type HeadLimits,
  parseRequestHead,
  type RequestHead,
} from '../codec/head.js'
import { HeadCollector } from '../codec/head-collector.js'
import type { BodyTaker } from './client-exchange.js'

/** What came when a request was awaited. `silent`: nothing of it came, so nobody is there to be answered. */
export type HeadRead =
  | RequestHead
  | BadHead
  | { readonly kind: 'ended'; readonly why: LegEnd; readonly silent: boolean }

/** Times of a client leg, in milliseconds. */
export interface ReaderTimes {
  readonly keepAlive: number
  readonly headerTimeout: number
}

const FINISHED: LegEnd = { kind: 'finished' }

/**
 * Reads requests off a client leg one after the other: the head is awaited, the body goes to a {@link BodyTaker}. What comes
 * before it is asked for (a pipelined request) stays in the leg. Between the two the leg is left running, so that a client
 * that goes away is noticed.
 */
export class ClientReader implements LegReader {
  readonly leg: Leg
  readonly #limits: HeadLimits
  readonly #times: ReaderTimes
  readonly #onGone: () => void
  readonly #left: () => number
  readonly #collector: HeadCollector
  #awaiting: ((read: HeadRead) => void) | undefined
  #lingering: (() => void) | undefined
  #taker: BodyTaker | undefined
  /** The time for this head runs. */
  #timed = false
  /** The leg has a deadline. */
  #bounded = false
  #emptyLine: 'allowed' | 'cr' | 'over' = 'allowed'
  #idle = -1
  #ended: LegEnd | undefined

  /** `left`: for how many milliseconds more the client may be a stranger; infinite when it no longer is one. */
  constructor(leg: Leg, limits: HeadLimits, times: ReaderTimes, onGone: () => void, left: () => number) {
    this.leg = leg
    this.#limits = limits
    this.#times = times
    this.#onGone = onGone
    this.#left = left
    this.#collector = new HeadCollector(limits.head)
  }

  /** The client finished sending or is gone. */
  get finished(): boolean {
    return this.#ended !== undefined
  }

  /** The next request's head. */
  readHead(): Promise<HeadRead> {
    return new Promise((resolve) => {
      if (this.#ended !== undefined && this.leg.buffered === 0) {
        resolve({ kind: 'ended', why: this.#ended, silent: true })
        return
      }
      this.#awaiting = resolve
      this.#emptyLine = 'allowed'
      this.setIdle(this.#times.keepAlive)
      this.#within(Number.POSITIVE_INFINITY)
      // Who asks and does not read the answers is not heard further, or the answers would pile up here.
      if (this.leg.needsDrain) this.leg.pause()
      else if (this.leg.paused) this.leg.resume()
    })
  }

  /** The body of a refused request is read to be dropped: a client that lets it trickle is not waited for. */
  hurryBody(): void {
    this.#within(this.#times.headerTimeout)
  }

  /** Gives the body, and the client's comings and goings, to somebody. */
  attach(taker: BodyTaker): void {
    this.#taker = taker
    if (this.#ended !== undefined) {
      taker.clientFinished()
      return
    }
    if (taker.wantsBody && this.leg.paused) this.leg.resume()
  }

  detach(): void {
    this.#taker = undefined
    this.#unbounded()
  }

  /** Sets the idle time where it differs. */
  setIdle(ms: number): void {
    if (ms === this.#idle) return
    this.#idle = ms
    this.leg.setIdle(ms)
  }

  /** The node is leaving: a client that asks nothing is not waited for much longer. */
  hurry(ms: number): void {
    if (this.#awaiting !== undefined && this.#collector.empty) this.setIdle(ms)
  }

  /**
   * Finishes our side and reads on for a while, so that the client gets the last reply and not a reset that overtakes it
   * (RFC 9112 section 9.6).
   */
  linger(ms: number): Promise<void> {
    this.#taker = undefined
    this.leg.end()
    if (this.#ended !== undefined || this.leg.state === 'closed') return this.#flushed(ms)
    return this.#untilGone(ms)
  }

  /** The client has finished already: all that is left is that our octets reach the kernel. */
  #flushed(ms: number): Promise<void> {
    return this.leg.state === 'closed' || this.leg.queued === 0 ? Promise.resolve() : this.#untilGone(ms)
  }

  #untilGone(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#lingering = resolve
      this.leg.setDeadline(ms)
      if (this.leg.paused) this.leg.resume()
    })
  }

  onBytes(view: Uint8Array): number {
    if (this.#lingering !== undefined) return view.length
    if (this.#awaiting !== undefined) return this.#takeHead(asBuffer(view))
    const taken = this.#taker?.wantsBody === true ? this.#taker.takeBody(asBuffer(view)) : 0
    if (taken < view.length) this.leg.pause()
    return taken
  }

  onDrain(): void {
    if (this.#awaiting !== undefined && this.leg.paused) this.leg.resume()
    this.#taker?.clientDrained()
  }

  onPeerEnd(): void {
    this.#ended = FINISHED
    this.#lingering?.()
    this.#taker?.clientFinished()
    this.#deliver({ kind: 'ended', why: FINISHED, silent: this.#collector.empty })
  }

  onEnd(why: LegEnd): void {
    this.#ended = why
    this.#onGone()
    this.#lingering?.()
    this.#taker?.clientGone(why)
    this.#deliver({ kind: 'ended', why, silent: this.#collector.empty })
  }

  /** What is awaited now has to come in this time, a stranger's in the time that it has left. */
  #within(ms: number): void {
    const limit = Math.min(ms, this.#left())
    if (limit === Number.POSITIVE_INFINITY) return
    this.#bounded = true
    this.leg.setDeadline(Math.max(1, limit))
  }

  #unbounded(): void {
    if (!this.#bounded) return
    this.#bounded = false
    this.leg.setDeadline(0)
  }

  #takeHead(view: Buffer): number {
    const skipped = this.#collector.empty ? this.#skipEmptyLine(view) : 0
    if (skipped === view.length) return skipped
    const rest = skipped === 0 ? view : view.subarray(skipped)
    const end = this.#collector.push(rest)
    if (end < 0) {
      this.#partialHead()
      return view.length
    }
    this.#timed = false
    this.#unbounded()
    const taken = skipped + end
    if (taken < view.length) this.leg.pause()
    this.#deliver(parseRequestHead(Buffer.from(this.#collector.head), this.#limits))
    return taken
  }

  #partialHead(): void {
    if (!this.#timed) {
      this.#timed = true
      this.#within(this.#times.headerTimeout)
    }
    const fault = checkPartialRequest(this.#collector.partial, this.#collector.takeChecked(), this.#limits)
    if (fault !== undefined) this.#deliver(fault)
  }

  /** One empty line before a request is what some old clients send behind a body (RFC 9112 section 2.2). */
  #skipEmptyLine(view: Buffer): number {
    let at = 0
    if (this.#emptyLine === 'allowed' && view[0] === CR) {
      this.#emptyLine = 'cr'
      at = 1
    }
    if (this.#emptyLine !== 'cr' || at === view.length) return at
    this.#emptyLine = 'over'
    return view[at] === LF ? at + 1 : at
  }

  #deliver(read: HeadRead): void {
    const awaiting = this.#awaiting
    this.#awaiting = undefined
    awaiting?.(read)
  }
}
