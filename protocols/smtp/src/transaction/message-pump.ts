// SPDX-License-Identifier: MIT
import type { Octets, PumpSink } from '@portico/net'
import { ChunkScanner } from '../message/chunk-scanner.js'
import { DataScanner } from '../message/data-scanner.js'
import type { LineForm } from '../message/header-fields.js'
import { HeaderSection } from '../message/header-section.js'
import type { MessageSink } from './delivery.js'
import { type Fault, faultOf } from './fault.js'

/** What a header section has come to: the pieces that it becomes, or a fault. */
export type Judged = readonly Octets[] | Fault
/** Asks who has to be awaited. The pump calls it once, when the session awaits nothing else. */
export type LateJudgement = () => Promise<Judged>

export interface MessageLimits {
  /** Octets; without bound where the client may send any size. */
  readonly maxSize: number
  readonly maxHeaderSize: number
  /** Octets that are heard after a fault; more of them, and the client is not waited for. */
  readonly mostSwallowed: number
}

const NOTHING = Buffer.alloc(0)

/**
 * Octets that are heard for nothing: more of them, and the client does not want to end. `maxSize`: the connector's, also where a
 * client may send any size.
 */
export function mostSwallowed(maxSize: number): number {
  return 2 * maxSize + 1_048_576
}

/**
 * Takes a message from the client, as DATA or chunk by chunk, and passes it to a sink with back-pressure. The header section is held
 * until it is judged; the body goes on as it comes. Once something is wrong nothing more is passed on, and the client is heard to
 * the end of what it has announced, so that the rest is not taken for commands, but not without bound.
 */
export class MessagePump implements PumpSink {
  fault: Fault | undefined
  /** The client sent without end. */
  endless = false
  readonly form: LineForm
  readonly #sink: MessageSink
  readonly #limits: MessageLimits
  readonly #judge: (section: Buffer) => Judged | LateJudgement
  readonly #data = new DataScanner()
  readonly #chunks: ChunkScanner | undefined
  readonly #header: HeaderSection
  #begun = false
  #judging: LateJudgement | undefined
  /** Octets of the body that wait for the header's judgement. */
  #held = NOTHING
  /** Octets of the present chunk that have not come yet. */
  #left = 0
  #last = true
  #total = 0
  /** Octets that came after the fault. */
  #swallowed = 0
  #partOver = false

  /** `binary`: the chunks hold octets, not lines; only the header section does (RFC 3030 section 3). */
  constructor(
    sink: MessageSink,
    form: LineForm,
    limits: MessageLimits,
    hooks: {
      readonly binary: boolean
      readonly judge: (section: Buffer) => Judged | LateJudgement
    },
  ) {
    this.form = form
    this.#sink = sink
    this.#limits = limits
    this.#judge = hooks.judge
    this.#chunks = form === 'plain' && !hooks.binary ? new ChunkScanner() : undefined
    this.#header = new HeaderSection(limits.maxHeaderSize)
  }

  /** Octets of the message so far, as the client counts them. */
  get size(): number {
    return this.form === 'data' ? this.#data.size : this.#total
  }

  get done(): boolean {
    return this.#partOver || this.endless || this.#judging !== undefined
  }

  get blocked(): boolean {
    return this.#sink.blocked
  }

  start(resume: () => void): void {
    this.#sink.start(resume)
  }

  /** A chunk of so many octets follows. False: they may only be swallowed. */
  beginChunk(size: number, last: boolean): void {
    this.#partOver = false
    this.#left = size
    this.#last = last
    if (this.#total + size > this.#limits.maxSize) this.give(faultOf('too-big'))
    if (this.fault !== undefined) return
    if (this.#begun) this.#sink.chunk(size, last)
    if (size === 0) this.#complete()
  }

  take(view: Octets): number {
    return this.form === 'data' ? this.#takeData(view) : this.#takeChunk(view)
  }

  /** The header section has to be judged by others, and nothing is taken meanwhile: asks, waits, goes on. False: nothing more comes. */
  async judged(): Promise<boolean> {
    if (this.#judging === undefined) return false
    const judged = await this.#judging()
    this.#judging = undefined
    const held = this.#held
    this.#held = NOTHING
    this.#sink.batch(() => {
      this.#open(judged, held)
      if (this.#partOver) this.#finishPart()
    })
    return !this.#partOver
  }

  /** Nothing more comes for now. */
  stop(): void {
    this.#sink.stop()
  }

  /** The message is given up: the backends are cut before they have seen an end. */
  give(fault: Fault): void {
    this.fault ??= fault
    this.#held = NOTHING
    this.#sink.cut()
  }

  #takeData(view: Octets): number {
    const { held, upTo, taken } = this.#data.feed(view)
    this.#partOver = this.#data.ended
    if (this.#data.faulty) this.#giveLineFault(this.#data.hasNul)
    else if (this.#data.size > this.#limits.maxSize) this.give(faultOf('too-big'))
    this.#passOn(view, held, upTo)
    this.#swallow(taken)
    return taken
  }

  #takeChunk(view: Octets): number {
    const count = Math.min(view.length, this.#left)
    const chunk = count === view.length ? view : view.subarray(0, count)
    this.#left -= count
    this.#total += count
    this.#partOver = this.#left === 0
    if (this.fault !== undefined) {
      this.#swallow(count)
      return count
    }
    this.#chunks?.feed(chunk)
    if (this.#chunks?.faulty === true || this.#endsWithBareCr()) this.#giveLineFault(this.#chunks?.hasNul === true)
    this.#passOn(chunk, '', count)
    return count
  }

  #swallow(count: number): void {
    if (this.fault === undefined || this.#partOver) return
    this.#swallowed += count
    this.endless = this.#swallowed > this.#limits.mostSwallowed
  }

  #endsWithBareCr(): boolean {
    return this.#partOver && this.#last && this.#chunks?.endsWithCr === true
  }

  #giveLineFault(nul: boolean): void {
    this.give(faultOf(nul ? 'nul' : 'bare-line-end'))
  }

  #passOn(view: Octets, held: string, upTo: number): void {
    const { broken } = this.#sink
    if (this.fault === undefined && broken !== undefined) this.give(faultOf(broken))
    if (this.fault !== undefined || (held === '' && upTo === 0 && !this.#partOver)) return
    this.#sink.batch(() => {
      this.#pass(view, held, upTo)
      if (this.#partOver) this.#finishPart()
    })
  }

  #pass(view: Octets, held: string, upTo: number): void {
    if (this.#begun) {
      this.#sink.writeText(held)
      this.#sink.write(upTo === view.length ? view : view.subarray(0, upTo))
      return
    }
    this.#header.takeText(held)
    const taken = this.#header.take(view, upTo)
    if (this.#header.complete) this.#headerComplete(view.subarray(taken, upTo))
    else if (this.#header.tooBig) this.give(faultOf('header-too-big'))
  }

  #headerComplete(rest: Octets): void {
    const judged = this.#judge(this.#header.finish())
    if (typeof judged === 'function') {
      this.#judging = judged
      this.#held = Buffer.from(rest)
    } else this.#open(judged, rest)
  }

  /** The header section goes out, and what of the body has come behind it. */
  #open(judged: Judged, rest: Octets): void {
    const { broken } = this.#sink
    if ('why' in judged) this.give(judged)
    else if (broken !== undefined) this.give(faultOf(broken))
    if (this.fault !== undefined || 'why' in judged) return
    this.#begun = true
    const size = judged.reduce((sum, piece) => sum + piece.length, 0)
    this.#sink.chunk(size + rest.length + this.#left, this.#last)
    for (const piece of judged) this.#sink.write(piece)
    this.#sink.write(rest)
  }

  /** What the client announced is here. */
  #finishPart(): void {
    if (this.fault !== undefined || this.#judging !== undefined) return
    if (!this.#last && !this.#begun) return
    if (!this.#begun) this.#headerComplete(NOTHING)
    if (this.fault !== undefined || this.#judging !== undefined) return
    if (this.#last) this.#sink.end()
    else this.#sink.endPart()
  }

  #complete(): void {
    this.#partOver = true
    if (this.#endsWithBareCr()) this.#giveLineFault(false)
    else this.#sink.batch(() => this.#finishPart())
  }
}
