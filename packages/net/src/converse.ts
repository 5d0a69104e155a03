// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { BytesRead, Conversation, LineRead, PumpEnd, PumpSink, ReadEnd } from './conversation.js'
import type { Leg, LegEnd, LegReader, Octets } from './leg.js'

const LF = 10
const CR = 13
const NOTHING = Buffer.alloc(0)

/** What is being awaited: takes octets until it is satisfied. `feed` returns how many it took and sets `over` when it has all. */
interface Want {
  over: boolean
  feed(view: Octets): number
  /** Nothing more will come. */
  stop(end: ReadEnd): void
  /** Answers whoever awaits; called once, after `over`. */
  answer(): void
}

/** How far a line has come. `swallowing`: it is too long already, nothing of it is kept. */
interface LineStart {
  readonly held: Buffer
  readonly swallowing: boolean
}

const FRESH: LineStart = { held: NOTHING, swallowing: false }

/** Begins a dialogue on a leg: the conversation becomes its reader, and nothing is read until it is asked for. */
export function converse(leg: Leg): Conversation {
  const conversation = new LegConversation(leg)
  leg.pause()
  leg.setReader(conversation)
  return conversation
}

class LegConversation implements Conversation {
  readonly leg: Leg
  #want: Want | undefined
  #signal: Cancellation | undefined
  #end: ReadEnd | undefined
  /** The beginning of a line whose reading was cancelled. */
  #begun: LineStart = FRESH
  readonly #cancelled = () => this.#stop({ kind: 'cancelled' })

  constructor(leg: Leg) {
    this.leg = leg
  }

  get hasInput(): boolean {
    return this.leg.buffered > 0 || this.#begun.held.length > 0
  }

  readLine(limit: number, signal: Cancellation): Promise<LineRead> {
    return new Promise((resolve) => {
      const line = new LineWant(limit, this.#begun, resolve)
      this.#begun = FRESH
      this.#await(line, signal)
    })
  }

  readExactly(count: number, signal: Cancellation): Promise<BytesRead> {
    return new Promise((resolve) => this.#await(new CountWant(count, true, resolve), signal))
  }

  skip(count: number, signal: Cancellation): Promise<PumpEnd> {
    return new Promise((resolve) => {
      const done = (read: BytesRead) => resolve(read.kind === 'bytes' ? { kind: 'done' } : read)
      this.#await(new CountWant(count, false, done), signal)
    })
  }

  pump(sink: PumpSink, signal: Cancellation): Promise<PumpEnd> {
    return new Promise((resolve) => {
      const want = new PumpWant(sink, this.leg, resolve)
      sink.start(
        () => {
          if (this.#want === want && !want.over) this.leg.resume()
        },
        () => {
          want.closed = true
          if (this.#want === want) this.#finish(want)
          else want.over = true
        },
      )
      this.#await(want, signal)
    })
  }

  handOver(reader: LegReader): void {
    if (this.#want !== undefined || this.#begun !== FRESH) throw new Error('a conversation was handed over in mid-line')
    this.leg.setReader(reader)
    this.leg.resume()
  }

  onBytes(view: Octets): number {
    const want = this.#want
    if (want === undefined) {
      this.leg.pause()
      return 0
    }
    const taken = want.feed(view)
    if (want.over) this.#finish(want)
    return taken
  }

  onDrain(): void {}

  onPeerEnd(): void {
    this.#stop({ kind: 'peer-ended' })
  }

  onEnd(why: LegEnd): void {
    this.#end = undefined
    this.#stop({ kind: 'ended', why })
  }

  #await(want: Want, signal: Cancellation): void {
    if (this.#want !== undefined) throw new Error('a conversation has one read at a time')
    this.#want = want
    if (!want.over && this.#begun.held.length > 0) this.#feedBegun(want)
    const end: ReadEnd | undefined = this.#end ?? (signal.aborted ? { kind: 'cancelled' } : undefined)
    if (want.over) {
      this.#finish(want)
    } else if (end !== undefined) {
      this.#stop(end)
    } else {
      this.#signal = signal
      signal.onAbort = this.#cancelled
      this.leg.resume()
    }
  }

  #feedBegun(want: Want): void {
    const { held } = this.#begun
    const left = held.subarray(want.feed(held))
    this.#begun = left.length === 0 ? FRESH : { held: left, swallowing: false }
  }

  #stop(end: ReadEnd): void {
    if (end.kind !== 'cancelled') this.#end ??= end
    const want = this.#want
    if (want === undefined) return
    if (end.kind === 'cancelled' && want instanceof LineWant) this.#begun = want.start
    want.stop(end)
    this.#finish(want)
  }

  #finish(want: Want): void {
    this.leg.pause()
    this.#want = undefined
    if (this.#signal !== undefined) {
      this.#signal.onAbort = undefined
      this.#signal = undefined
    }
    want.over = true
    want.answer()
  }
}

class LineWant implements Want {
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

class CountWant implements Want {
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

class PumpWant implements Want {
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
