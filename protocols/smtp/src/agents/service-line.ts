// SPDX-License-Identifier: MIT
import type { Address, Cancellation } from '@portico/base'
import {
  type BytesRead,
  type Conversation,
  connectLeg,
  converse,
  type Leg,
  type Octets,
  type PumpSink,
  type TimerWheel,
} from '@portico/net'

export interface ServiceTiming {
  readonly wheel: TimerWheel
  /** Milliseconds to connect. */
  readonly timeoutMs: number
  readonly signal: Cancellation
}

/** A connection to a service that an agent asks: written to with its pace, read by the piece. */
export class ServiceLine implements Disposable {
  readonly leg: Leg
  readonly #conversation: Conversation
  #whenDrained: (() => void) | undefined

  private constructor(leg: Leg) {
    this.leg = leg
    const conversation = converse(leg)
    this.#conversation = conversation
    leg.setReader({
      onBytes: (view) => conversation.onBytes(view),
      onDrain: () => this.#goOn(),
      onPeerEnd: () => conversation.onPeerEnd(),
      onEnd: (why) => {
        this.#goOn()
        conversation.onEnd(why)
      },
    })
  }

  /** Throws when nobody is there in time. */
  static async to(address: Address, timing: ServiceTiming): Promise<ServiceLine> {
    const connected = await connectLeg(address, timing)
    if (connected.kind === 'connected') return new ServiceLine(connected.leg)
    throw new Error(`no connection to the service: ${connected.code}`, { cause: connected.cause })
  }

  /** Sends octets, which have to stay as they are. False: the other side takes no more. A promise: it is behind. */
  write(...pieces: readonly Octets[]): boolean | Promise<boolean> {
    if (!this.#takes) return false
    this.leg.batch(() => {
      for (const piece of pieces) this.leg.write(piece)
    })
    if (!this.leg.needsDrain) return this.#takes
    return new Promise((resolve) => {
      this.#whenDrained = () => resolve(this.#takes)
    })
  }

  /** Exactly so many octets. Throws where they do not come. */
  async readExactly(count: number, signal: Cancellation): Promise<Buffer> {
    const read = await this.#conversation.readExactly(count, signal)
    if (read.kind === 'bytes') return read.bytes
    throw endOf(read)
  }

  /** What comes before an octet, which is not part of it: at most `limit` octets. Throws where that does not come. */
  async readUntil(octet: number, limit: number, signal: Cancellation): Promise<Buffer> {
    const text = new TextSink(octet, limit)
    const end = await this.#conversation.pump(text, signal)
    if (end.kind !== 'done') throw endOf(end)
    if (text.tooLong) throw new Error('the service answered with more than it may')
    return text.held
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    this.leg.destroy()
  }

  get #takes(): boolean {
    const { state } = this.leg
    return state === 'open' || state === 'peer-ended'
  }

  #goOn(): void {
    const tell = this.#whenDrained
    this.#whenDrained = undefined
    tell?.()
  }
}

function endOf(end: Exclude<BytesRead, { kind: 'bytes' }> | { readonly kind: 'sink-closed' }): Error {
  if (end.kind === 'cancelled') return new Error('nobody waits for the answer of the service any more')
  const cause = end.kind === 'ended' && end.why.kind === 'error' ? end.why.cause : undefined
  return new Error('the service closed the connection without an answer', { cause })
}

/** Holds octets up to a certain one. */
class TextSink implements PumpSink {
  held = Buffer.alloc(0)
  done = false
  tooLong = false
  readonly blocked = false
  readonly #octet: number
  readonly #limit: number

  constructor(octet: number, limit: number) {
    this.#octet = octet
    this.#limit = limit
  }

  start(): void {}

  take(view: Octets): number {
    const at = view.indexOf(this.#octet)
    const some = at < 0 ? view : view.subarray(0, at)
    this.tooLong = this.held.length + some.length > this.#limit
    if (!this.tooLong) this.held = Buffer.concat([this.held, some])
    this.done = at >= 0 || this.tooLong
    return at < 0 ? view.length : at + 1
  }
}
