// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { BytesRead, Conversation, LineRead, PumpEnd, PumpSink, ReadEnd } from './conversation.js'
import type { Leg, LegEnd, LegReader, Octets } from './leg.js'
import { CountWant, FRESH, InputWant, type LineStart, LineWant, PumpWant, type Want } from './wants.js'

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

  swallow(count: number, signal: Cancellation): Promise<PumpEnd> {
    return new Promise((resolve) => {
      const done = (read: BytesRead) => resolve(read.kind === 'bytes' ? { kind: 'done' } : read)
      this.#await(new CountWant(count, false, done), signal)
    })
  }

  awaitInput(signal: Cancellation): Promise<{ readonly kind: 'input' } | ReadEnd> {
    return new Promise((resolve) => this.#await(new InputWant(this.hasInput, resolve), signal))
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
