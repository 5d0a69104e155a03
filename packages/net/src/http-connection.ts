// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { type HttpReplyHead, HttpReplyReader } from './http-reply.js'
import type { Leg, LegEnd, LegReader, Octets } from './leg.js'

/** A reply's status and headers, names in lower case, values as octets in Latin-1, and as much of its body as was to be kept. */
export type HttpReply =
  | ({ readonly kind: 'reply'; readonly body: string } & HttpReplyHead)
  | { readonly kind: 'failed'; readonly cause: Error }

/** `stale`: the service closed a kept connection before it answered anything. */
export type Exchanged = HttpReply | { readonly kind: 'stale'; readonly cause: Error }

/** What is sent behind a request. */
export interface HttpBody {
  /** Exactly so many octets come. */
  readonly size: number
  /**
   * Gives the body piece by piece, from its beginning. A reader that returns false wants no more of it; a promise is awaited before
   * the next piece. Pieces stay as they are. Anything but `done` means that it has not come whole.
   */
  read(take: (piece: Octets) => boolean | Promise<boolean>): Promise<string>
}

/** One request, as it goes out. */
export interface HttpRequest {
  readonly head: string
  readonly body: HttpBody | undefined
}

/** The end of a reply that came with its connection's is waited for so long, in milliseconds. */
const LINGER = 1_000

interface Question {
  readonly reader: HttpReplyReader
  readonly signal: Cancellation
  /** All of the body is on its way. */
  sent: boolean
  /** Undefined once the answer has been handed on. */
  settle: ((result: Exchanged) => void) | undefined
}

/** One connection to an HTTP service: a request at a time. */
export class HttpConnection implements LegReader {
  readonly #leg: Leg
  readonly #room: number
  readonly #onRest: (connection: HttpConnection) => void
  readonly #onGone: (connection: HttpConnection) => void
  #question: Question | undefined
  #served = false
  #whenDrained: (() => void) | undefined

  /** `room`: octets of a reply's body that are kept. `onRest`: it can be asked again. `onGone`: once, when it never can. */
  constructor(
    leg: Leg,
    room: number,
    onRest: (connection: HttpConnection) => void,
    onGone: (connection: HttpConnection) => void,
  ) {
    this.#leg = leg
    this.#room = room
    this.#onRest = onRest
    this.#onGone = onGone
    leg.setReader(this)
    leg.resume()
  }

  /** Settles always, within the time. Only for a connection at rest. */
  ask({ head, body }: HttpRequest, timeoutMs: number, signal: Cancellation): Promise<Exchanged> {
    return new Promise((settle) => {
      if (this.#leg.state !== 'open') {
        settle({ kind: this.#served ? 'stale' : 'failed', cause: new Error('the connection was gone at once') })
        return
      }
      const question = { reader: new HttpReplyReader(this.#room), signal, sent: body === undefined, settle }
      this.#question = question
      this.#leg.setDeadline(timeoutMs)
      signal.onAbort = () => this.#break(new Error('the lookup was cancelled'))
      // As much of the body as is at hand goes out with the head.
      this.#leg.batch(() => {
        this.#leg.writeText(head)
        if (body !== undefined) void this.#send(question, body)
      })
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
    this.#answer(question)
    if (reader.fault !== undefined) this.#break(new Error(`the lookup service answered with ${reader.fault}`))
    else if (reader.done) this.#rest(reader.reusable && question.sent)
    return view.length
  }

  onDrain(): void {
    const tell = this.#whenDrained
    this.#whenDrained = undefined
    tell?.()
  }

  onPeerEnd(): void {
    this.#leg.destroy()
    const question = this.#question
    question?.reader.close()
    if (question !== undefined) this.#answer(question)
    this.#lost(new Error('the lookup service closed the connection'))
  }

  onEnd(why: LegEnd): void {
    this.#onGone(this)
    if (why.kind === 'deadline') this.#break(new Error('the lookup took too long'))
    else this.#lost(why.kind === 'error' ? why.cause : new Error('the connection to the lookup service ended'))
  }

  /** Sends the body as fast as the service takes it, until it has answered. */
  async #send(question: Question, body: HttpBody): Promise<void> {
    const end = await body.read((piece) => this.#sendPiece(question, piece)).catch(() => 'failed')
    question.sent = true
    if (end !== 'done' && this.#question === question) this.#break(new Error('the body could not be sent whole'))
  }

  #sendPiece(question: Question, piece: Octets): boolean | Promise<boolean> {
    if (this.#question !== question) return false
    if (this.#leg.write(piece)) return true
    return new Promise((resolve) => {
      this.#whenDrained = () => resolve(this.#question === question)
    })
  }

  /** As soon as it is known: the head alone is an answer where no body is wanted. */
  #answer(question: Question): void {
    const { head, body, done } = question.reader
    if (head !== undefined && (done || this.#room === 0)) this.#settle(question, { kind: 'reply', body, ...head })
  }

  #rest(reusable: boolean): void {
    this.#leave()
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
    this.#leave()
    this.#settle(question, { kind: stale ? 'stale' : 'failed', cause })
  }

  #break(cause: Error): void {
    const question = this.#question
    this.#leave()
    this.#leg.destroy()
    if (question !== undefined) this.#settle(question, { kind: 'failed', cause })
  }

  /** Nothing more is to be sent or read for the question that was asked. */
  #leave(): void {
    this.#question = undefined
    this.onDrain()
  }

  #settle(question: Question, result: Exchanged): void {
    const { settle } = question
    if (settle === undefined) return
    question.settle = undefined
    question.signal.onAbort = undefined
    settle(result)
  }
}
