// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { Leg, LegEnd, LegReader } from '@portico/net'
import { type ReplyHead, ReplyReader } from './auth-http-reply.js'

/** A reply's status and headers; header names in lower case, values as octets in Latin-1. The body is not looked at. */
export type LookupReply = ({ readonly kind: 'reply' } & ReplyHead) | { readonly kind: 'failed'; readonly cause: Error }

/** `stale`: the service closed a kept connection before it answered anything. */
export type Exchanged = LookupReply | { readonly kind: 'stale'; readonly cause: Error }

/** The end of a reply that came with its connection's is waited for so long, in milliseconds. */
const LINGER = 1_000

interface Question {
  readonly reader: ReplyReader
  readonly signal: Cancellation
  /** Undefined once the head has been handed on. */
  settle: ((result: Exchanged) => void) | undefined
}

/** One connection to a lookup service: a question at a time. */
export class LookupConnection implements LegReader {
  readonly #leg: Leg
  readonly #onRest: (connection: LookupConnection) => void
  readonly #onGone: (connection: LookupConnection) => void
  #question: Question | undefined
  #served = false

  /** `onRest`: it can be asked again. `onGone`: once, when it never can. */
  constructor(
    leg: Leg,
    onRest: (connection: LookupConnection) => void,
    onGone: (connection: LookupConnection) => void,
  ) {
    this.#leg = leg
    this.#onRest = onRest
    this.#onGone = onGone
    leg.setReader(this)
    leg.resume()
  }

  /** Settles always, within the time. Only for a connection at rest. */
  ask(question: string, timeoutMs: number, signal: Cancellation): Promise<Exchanged> {
    return new Promise((settle) => {
      if (this.#leg.state !== 'open') {
        settle({ kind: this.#served ? 'stale' : 'failed', cause: new Error('the connection was gone at once') })
        return
      }
      this.#question = { reader: new ReplyReader(), signal, settle }
      this.#leg.setDeadline(timeoutMs)
      this.#leg.writeText(question)
      signal.onAbort = () => this.#break(new Error('the lookup was cancelled'))
    })
  }

  destroy(): void {
    this.#leg.destroy()
  }

  onBytes(view: Uint8Array): number {
    const question = this.#question
    if (question === undefined) {
      // Nobody asked anything.
      this.#leg.destroy()
      return view.length
    }
    const { reader } = question
    reader.push(Buffer.from(view.buffer, view.byteOffset, view.byteLength))
    if (reader.head !== undefined) this.#settle(question, { kind: 'reply', ...reader.head })
    if (reader.fault !== undefined) this.#break(new Error(`the lookup service answered with ${reader.fault}`))
    else if (reader.done) this.#rest(reader.reusable)
    return view.length
  }

  onDrain(): void {}

  onPeerEnd(): void {
    this.#leg.destroy()
    this.#lost(new Error('the lookup service closed the connection'))
  }

  onEnd(why: LegEnd): void {
    this.#onGone(this)
    if (why.kind === 'deadline') this.#break(new Error('the lookup took too long'))
    else this.#lost(why.kind === 'error' ? why.cause : new Error('the connection to the lookup service ended'))
  }

  #rest(reusable: boolean): void {
    this.#question = undefined
    this.#served = true
    this.#leg.setDeadline(0)
    if (reusable) this.#onRest(this)
    else this.#leg.close(LINGER)
  }

  /** The other side is gone: before it said anything on a kept connection, the question can be asked again. */
  #lost(cause: Error): void {
    const question = this.#question
    if (question === undefined) return
    const stale = this.#served && !question.reader.begun
    this.#question = undefined
    this.#settle(question, { kind: stale ? 'stale' : 'failed', cause })
  }

  #break(cause: Error): void {
    const question = this.#question
    this.#question = undefined
    this.#leg.destroy()
    if (question !== undefined) this.#settle(question, { kind: 'failed', cause })
  }

  #settle(question: Question, result: Exchanged): void {
    const { settle } = question
    if (settle === undefined) return
    question.settle = undefined
    question.signal.onAbort = undefined
    settle(result)
  }
}
