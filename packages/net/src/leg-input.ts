// SPDX-License-Identifier: MIT
import type { LegEnd, LegReader } from './leg.js'
import { hold } from './read-memory.js'

const EMPTY = Buffer.alloc(0)
/** A paused leg is read until it holds this much, so that a short dialogue never stops the socket, and EOF and reset are seen. */
const READ_AHEAD = 16_384

/** What the input asks of the socket behind it. */
export interface InputSource {
  halt(): void
  flow(): void
  /** The reader threw: a bug, which costs this leg alone. */
  failed(cause: Error): void
}

/**
 * The receiving half of a leg, free of sockets: keeps what the reader did not take, keeps the order, and tells EOF and end after
 * the last octet. Reader calls never nest.
 */
export class LegInput {
  /** Octets taken by readers. */
  taken = 0
  paused = false
  readonly #source: InputSource
  #reader: LegReader | undefined
  #left: Buffer = EMPTY
  #delivering = false
  #scheduled = false
  #halted = false
  #discarding = false
  #eof = false
  #eofTold = false
  #end: LegEnd | undefined
  #endTold = false
  readonly #task = () => this.#flush()

  constructor(source: InputSource) {
    this.#source = source
  }

  get buffered(): number {
    return this.#left.length
  }

  get sawEof(): boolean {
    return this.#eof
  }

  setReader(reader: LegReader): void {
    this.#reader = reader
    this.#eofTold = false
    this.#endTold = false
    this.#schedule()
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (this.#left.length > 0 || this.#halted || this.#eof) this.#schedule()
  }

  /** Octets from the socket, valid only during the call. */
  deliver(bytes: Buffer): void {
    if (this.#discarding || this.#end !== undefined) return
    if (this.#reader !== undefined && !this.paused && !this.#delivering && this.#left.length === 0) {
      this.#offer(this.#reader, bytes)
      return
    }
    this.#left = this.#left.length === 0 ? hold(bytes) : Buffer.concat([this.#left, bytes])
    if (this.#left.length >= READ_AHEAD && !this.#halted) {
      this.#halted = true
      this.#source.halt()
    }
    if (!this.paused) this.#schedule()
  }

  drained(): void {
    const reader = this.#reader
    if (reader !== undefined && this.#end === undefined) this.#guard(() => reader.onDrain())
  }

  /** The peer finished. Told after the last octet was taken, even to a paused reader. */
  eof(): void {
    if (this.#eof) return
    this.#eof = true
    this.#settle()
  }

  /** The socket is gone. After an orderly end the reader first gets what is left. */
  finish(why: LegEnd): void {
    if (this.#endTold || (this.#end !== undefined && this.#end.kind !== 'finished')) return
    this.#end = why
    if (why.kind !== 'finished') this.#left = EMPTY
    this.#schedule()
  }

  /** Everything that is left, taken out for the TLS handshake. */
  takeAll(): Buffer {
    const left = this.#left
    this.#left = EMPTY
    return left
  }

  /** From now on the reader only hears of the end. */
  discard(): void {
    this.#discarding = true
    this.#left = EMPTY
    this.paused = false
    if (this.#halted) this.#schedule()
  }

  /** A new socket continues the leg: its flow has not been stopped. */
  restart(): void {
    this.#halted = false
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(this.#task)
  }

  #flush(): void {
    this.#scheduled = false
    if (this.#reader !== undefined && !this.paused && this.#left.length > 0) {
      const view = this.#left
      this.#left = EMPTY
      this.#offer(this.#reader, view)
    }
    this.#settle()
    if (this.#halted && !this.paused && this.#left.length < READ_AHEAD && this.#end === undefined) {
      this.#halted = false
      this.#source.flow()
    }
  }

  #offer(reader: LegReader, view: Buffer): void {
    this.#delivering = true
    try {
      const count = reader.onBytes(view)
      this.taken += count
      if (count < view.length && !this.#discarding) this.#left = hold(view.subarray(count))
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#delivering = false
    }
  }

  /** Tells what may be told now: nothing while octets wait. */
  #settle(): void {
    const reader = this.#reader
    if (this.#delivering || this.#left.length > 0 || reader === undefined) return
    if (this.#eof && !this.#eofTold) {
      this.#eofTold = true
      if (!this.#discarding) this.#guard(() => reader.onPeerEnd())
    }
    // The reader may have been changed by onPeerEnd; the new one is told in its own turn.
    if (this.#end !== undefined && !this.#endTold && reader === this.#reader) {
      this.#endTold = true
      const why = this.#end
      this.#guard(() => reader.onEnd(why))
    }
  }

  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#source.failed(error instanceof Error ? error : new Error(String(error)))
  }
}
