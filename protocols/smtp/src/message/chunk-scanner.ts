// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'
import { skipLines, wordsOf } from './skip-lines.js'

const NUL = 0
const CR = 13
const LF = 10

/**
 * Looks at the octets of BDAT chunks that were not declared BINARYMIME (RFC 3030 section 3): they are lines, so a CR or LF outside
 * CRLF is a fault as in DATA (RFC 5321 section 2.3.8), and so is NUL. The end of a chunk may cut a CRLF.
 */
export class ChunkScanner {
  #last: number = LF
  #faulty = false
  #nul = false
  #size = 0

  /** A bare CR, a bare LF or a NUL was seen. A CR at the end is none yet: see {@link endsWithCr}. */
  get faulty(): boolean {
    return this.#faulty
  }

  /** The first fault was a NUL. */
  get hasNul(): boolean {
    return this.#nul
  }

  /** The octets so far are whole lines; there may be none. */
  get endsWithCrlf(): boolean {
    return this.#last === LF && !this.#faulty
  }

  /** The last octet is a CR: at the end of the message it is a bare one. */
  get endsWithCr(): boolean {
    return this.#last === CR
  }

  /** Octets so far (RFC 1870 section 5). */
  get size(): number {
    return this.#size
  }

  /** The next octets of the message, whatever chunk they are of. */
  feed(view: Octets): void {
    this.#size += view.length
    const words = wordsOf(view)
    let at = 0
    while (at < view.length && !this.#faulty) {
      if (this.#last !== CR) at = skipLines(view, words, at)
      if (at < view.length) this.#step(view[at] as number)
      at += 1
    }
    if (view.length > 0) this.#last = view[view.length - 1] as number
  }

  #step(octet: number): void {
    this.#nul ||= octet === NUL
    this.#faulty = octet === NUL || (octet === LF) !== (this.#last === CR)
    this.#last = octet
  }
}
