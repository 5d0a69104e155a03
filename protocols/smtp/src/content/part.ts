// SPDX-License-Identifier: MIT
import type { HeaderFields } from '../message/header-fields.js'

/** One part of a message, or of a message within it. */
export interface Part {
  /** Media type in lower case; a part that does not say it is text/plain (RFC 2045 section 5.2). */
  readonly type: string
  readonly fields: HeaderFields
  /** How many messages the part is in: 0 for the message itself and its parts. */
  readonly depth: number
  /** It is the message itself, or a message within it, not a part of one. */
  readonly whole: boolean
}

/** Takes the octets of one part, decoded. */
export interface PartSink {
  take(piece: Buffer): void
  end(): void
}

/** Is told of each part as it begins, and says what is to become of its content. */
export type PartVisitor = (part: Part) => PartSink

/** Octets that are kept of the text in front of parts. */
const MOST = 64 * 1024

/**
 * Text of a multipart in front of its parts. Nobody is shown it where there are parts (RFC 2046 section 5.1.1), but some readers show
 * it where there is none.
 */
export class LooseText {
  #owner: object | undefined
  #sink: PartSink | undefined
  #pieces: Buffer[] = []
  #size = 0

  /** A part begins. `sink`: where it holds parts. */
  begin(part: object, parent: object | false, sink: PartSink | undefined): void {
    if (parent === this.#owner) this.#pieces = []
    this.end()
    this.#owner = part
    this.#sink = sink
  }

  take(owner: object, piece: Buffer): void {
    if (owner !== this.#owner || this.#sink === undefined || this.#size >= MOST) return
    this.#pieces.push(piece)
    this.#size += piece.length
  }

  /** No other part begins. */
  end(): void {
    for (const piece of this.#pieces) this.#sink?.take(piece)
    this.#sink?.end()
    this.#sink = undefined
    this.#pieces = []
    this.#size = 0
  }
}
