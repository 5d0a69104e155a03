// SPDX-License-Identifier: MIT
import type { Timer } from '@portico/base'
import type { LegReader, Octets, PumpSink, TimerWheel } from '@portico/net'
import type { BackendSession } from './backend-session.js'
import { DataScanner, HopCounter } from './data-stream.js'

/** Why a message will not be ended at the backend. */
export type DataFault = 'bare-line-end' | 'nul' | 'too-big' | 'loop' | 'backend-lost'

/** How long a backend may refuse to take more octets (RFC 5321 section 4.5.3.2.5). */
const BLOCKED = 3 * 60_000

/**
 * Streams a message from the client to the backend in constant memory and with back-pressure both ways. Once something is wrong
 * nothing more is passed on; the client is heard to the end of its message, so that what follows is not taken for commands, but
 * not for longer than twice the largest message.
 */
export class DataPump implements PumpSink {
  fault: DataFault | undefined
  /** The client sent without end. */
  endless = false
  readonly #scanner = new DataScanner()
  readonly #hops = new HopCounter()
  readonly #backend: BackendSession
  readonly #limits: { readonly maxSize: number; readonly maxHops: number }
  readonly #wheel: TimerWheel
  readonly #touched: () => void
  #resume: () => void = () => {}
  #blocked: Timer | undefined

  constructor(
    backend: BackendSession,
    limits: { readonly maxSize: number; readonly maxHops: number },
    wheel: TimerWheel,
    touched: () => void,
  ) {
    this.#backend = backend
    this.#limits = limits
    this.#wheel = wheel
    this.#touched = touched
    backend.leg.setReader(this.#backendReader())
  }

  get done(): boolean {
    return this.#scanner.ended || this.endless
  }

  get blocked(): boolean {
    return this.#blocked !== undefined
  }

  start(resume: () => void): void {
    this.#resume = resume
  }

  take(view: Octets): number {
    this.#touched()
    const scanned = this.#scanner.feed(view)
    this.#judge(view, scanned.held, scanned.upTo)
    if (this.fault === undefined) this.#pass(view, scanned.held, scanned.upTo)
    else this.endless = !this.#scanner.ended && this.#scanner.total > 2 * this.#limits.maxSize + 1_048_576
    return scanned.taken
  }

  /** No more octets: the timer must not outlive the message. */
  stop(): void {
    this.#unblock()
  }

  #judge(view: Octets, held: string, upTo: number): void {
    if (this.fault !== undefined) return
    this.#hops.feedText(held)
    this.#hops.feed(view, upTo)
    if (this.#scanner.faulty) this.#give(this.#scanner.hasNul ? 'nul' : 'bare-line-end')
    else if (this.#scanner.size > this.#limits.maxSize) this.#give('too-big')
    else if (this.#hops.hops > this.#limits.maxHops) this.#give('loop')
  }

  #pass(view: Octets, held: string, upTo: number): void {
    const { leg } = this.#backend
    if (held === '' && upTo === 0) return
    let flowing = true
    leg.batch(() => {
      if (held !== '') flowing = leg.writeText(held)
      if (upTo > 0) flowing = leg.writeView(upTo === view.length ? view : view.subarray(0, upTo))
    })
    if (!flowing && this.#blocked === undefined)
      this.#blocked = this.#wheel.add(BLOCKED, () => this.#give('backend-lost'))
  }

  /** The message is given up: the backend connection is cut before it has seen an end. */
  #give(fault: DataFault): void {
    this.fault ??= fault
    this.#backend.drop()
    this.#unblock()
  }

  #unblock(): void {
    if (this.#blocked === undefined) return
    this.#blocked.cancel()
    this.#blocked = undefined
    this.#resume()
  }

  /** While octets flow the backend has nothing to say; what it says all the same waits for the end of the message. */
  #backendReader(): LegReader {
    const { leg } = this.#backend
    return {
      onBytes: () => {
        leg.pause()
        return 0
      },
      onDrain: () => this.#unblock(),
      onPeerEnd: () => this.#give('backend-lost'),
      onEnd: () => {
        if (!this.done) this.#give('backend-lost')
      },
    }
  }
}
