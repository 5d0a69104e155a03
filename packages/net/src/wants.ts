// SPDX-License-Identifier: MIT
import type { BytesRead, LineRead, PumpEnd, PumpSink, ReadEnd } from './conversation.js'
import type { Leg, Octets } from './leg.js'

const LF = 10
const CR = 13
const NOTHING = Buffer.alloc(0)

/** What is being awaited: takes octets until it is satisfied. `feed` returns how many it took and sets `over` when it has all. */
export interface Want {
  over: boolean
  feed(view: Octets): number
  /** Nothing more will come. */
  stop(end: ReadEnd): void
  /** Answers whoever awaits; called once, after `over`. */
  answer(): void
}

/** How far a line has come. `swallowing`: it is too long already, nothing of it is kept. */
export interface LineStart {
  readonly held: Buffer
  readonly swallowing: boolean
}

/** No line has begun. */
export const FRESH: LineStart = { held: NOTHING, swallowing: false }

/** Wants a line, as far as it is within its limit. */
export class LineWant implements Want {
  over = false
  #held: Buffer
  readonly #limit: number
  readonly #resolve: (read: LineRead) => void
  #swallowing: boolean
  #read: LineRead = { kind: 'too-long' }

  constructor(limit: number, begun: LineStart, resolve: (read: LineRead) => void) {
    this.#limit = limit
    this.#held = begun.held
    this.#swallowing = begun.swallowing
    this.#resolve = resolve
  }

  get start(): LineStart {
    const untouched = this.#held.length === 0 && !this.#swallowing
    return untouched ? FRESH : { held: this.#held, swallowing: this.#swallowing }
  }

  feed(view: Octets): number {
    const at = view.indexOf(LF)
    if (at >= 0) {
      this.over = true
      if (!this.#swallowing) this.#complete(view.subarray(0, at))
      return at + 1
    }
    // One octet more than the limit may be the CR.
    if (this.#swallowing || this.#held.length + view.length > this.#limit + 1) {
      this.#swallowing = true
      this.#held = NOTHING
    } else {
      this.#held = Buffer.concat([this.#held, view])
    }
    return view.length
  }

  stop(end: ReadEnd): void {
    this.#read = end
  }

  answer(): void {
    this.#resolve(this.#read)
  }

  #complete(rest: Octets): void {
    if (this.#held.length + rest.length > this.#limit + 1) return
    const all = this.#held.length === 0 ? rest : Buffer.concat([this.#held, rest])
    const bareLf = all[all.length - 1] !== CR
    const length = bareLf ? all.length : all.length - 1
    if (length > this.#limit) return
    const bytes = Buffer.allocUnsafe(length)
    bytes.set(all.subarray(0, length))
    this.#read = { kind: 'line', bytes, bareLf }
  }
}

/** Wants so many octets, to keep them or to be rid of them. */
export class CountWant implements Want {
  over: boolean
  readonly #count: number
  readonly #keep: boolean
  readonly #resolve: (read: BytesRead) => void
  /** One piece of memory that grows: a list of pieces would cost a hundred times the octets of a client that sends single ones. */
  #held = NOTHING
  #taken = 0
  #end: ReadEnd | undefined

  constructor(count: number, keep: boolean, resolve: (read: BytesRead) => void) {
    this.#count = count
    this.#keep = keep
    this.#resolve = resolve
    this.over = count <= 0
  }

  feed(view: Octets): number {
    const count = Math.min(view.length, this.#count - this.#taken)
    if (this.#keep) this.#hold(view.subarray(0, count))
    this.#taken += count
    this.over = this.#taken === this.#count
    return count
  }

  #hold(view: Octets): void {
    const wanted = this.#taken + view.length
    if (this.#held.length < wanted) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#count, Math.max(wanted, 2 * this.#held.length)))
      this.#held.copy(larger, 0, 0, this.#taken)
      this.#held = larger
    }
    this.#held.set(view, this.#taken)
  }

  stop(end: ReadEnd): void {
    this.#end = end
  }

  answer(): void {
    this.#resolve(this.#end ?? { kind: 'bytes', bytes: this.#held })
  }
}

/** Wants to know that there is input, and leaves it there. */
export class InputWant implements Want {
  over: boolean
  readonly #resolve: (read: { readonly kind: 'input' } | ReadEnd) => void
  #end: ReadEnd | undefined

  constructor(there: boolean, resolve: (read: { readonly kind: 'input' } | ReadEnd) => void) {
    this.over = there
    this.#resolve = resolve
  }

  feed(): number {
    this.over = true
    return 0
  }

  stop(end: ReadEnd): void {
    this.#end = end
  }

  answer(): void {
    this.#resolve(this.#end ?? { kind: 'input' })
  }
}

/** Wants what a sink takes, as long as it takes it. */
export class PumpWant implements Want {
  over: boolean
  closed = false
  readonly #sink: PumpSink
  readonly #leg: Leg
  readonly #resolve: (end: PumpEnd) => void
  #end: ReadEnd | undefined

  constructor(sink: PumpSink, leg: Leg, resolve: (end: PumpEnd) => void) {
    this.#sink = sink
    this.#leg = leg
    this.#resolve = resolve
    this.over = sink.done
  }

  feed(view: Octets): number {
    const count = this.#sink.take(view)
    this.over = this.over || this.#sink.done || count < view.length
    if (!this.over && this.#sink.blocked) this.#leg.pause()
    return count
  }

  stop(end: ReadEnd): void {
    this.#end = end
  }

  answer(): void {
    this.#resolve(this.#end ?? { kind: this.closed ? 'sink-closed' : 'done' })
  }
}
