// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'

const END = Buffer.from('\r\n\r\n')
/** Octets of the first copy; it grows as more come. */
const FIRST_ROOM = 4 * 1024

/**
 * Collects a message's header section as it comes: all lines up to and with the first empty one (RFC 5322 section 2.1). Only an
 * empty line ends it, never a line that is no field: a lenient reader goes on behind such a line, so what follows has to be
 * judged too. It holds at most `maxSize` octets. The same for a message in DATA form and for a plain one, since a line that is
 * empty in one is so in the other.
 */
export class HeaderSection {
  readonly #maxSize: number
  #octets: Buffer = Buffer.alloc(0)
  #size = 0
  /** How much of CRLF CRLF the octets so far end with. The beginning of a message is the beginning of a line. */
  #matched = 2
  #complete = false

  /** `maxSize`: the most octets that are held. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize
  }

  /** The empty line is here: what comes now is the body. */
  get complete(): boolean {
    return this.#complete
  }

  /** There is no empty line within the most octets that are held. Nothing is held any more, and nothing taken. */
  get tooBig(): boolean {
    return this.#size > this.#maxSize
  }

  /** Octets of the section so far. */
  get size(): number {
    return this.#size
  }

  /**
   * Takes `view[0..upTo)` up to the end of the section, and says how many octets it took; the rest is the body. When the whole
   * section is in one view it is not copied: then what {@link finish} gives lives as long as the view.
   */
  take(view: Octets, upTo: number): number {
    if (this.#complete || this.tooBig) return 0
    const octets = Buffer.from(view.buffer, view.byteOffset, upTo)
    const end = this.#endIn(octets)
    const piece = end === -1 ? octets : octets.subarray(0, end)
    const before = this.#size
    this.#size += piece.length
    this.#complete = end !== -1 && !this.tooBig
    if (this.tooBig) this.#octets = Buffer.alloc(0)
    else if (this.#complete && before === 0) this.#octets = piece
    else this.#copy(piece, before)
    return piece.length
  }

  /** As take, for octets that were kept back. */
  takeText(latin1: string): number {
    return latin1 === '' ? 0 : this.take(Buffer.from(latin1, 'latin1'), latin1.length)
  }

  /** The section with its empty line; without one when the message ended before it. Nothing when it was too big. */
  finish(): Buffer {
    return this.tooBig ? this.#octets : this.#octets.subarray(0, this.#size)
  }

  #copy(piece: Buffer, at: number): void {
    if (this.#octets.length < this.#size) {
      const room = Buffer.allocUnsafe(
        Math.max(this.#size, FIRST_ROOM, Math.min(this.#maxSize, this.#octets.length * 2)),
      )
      this.#octets.copy(room, 0, 0, at)
      this.#octets = room
    }
    piece.copy(this.#octets, at)
  }

  /** The offset behind the empty line, or -1. */
  #endIn(octets: Buffer): number {
    let at = 0
    while (this.#matched > 0 && at < octets.length) {
      this.#step(octets[at] as number)
      at += 1
      if (this.#matched === END.length) return at
    }
    const found = octets.indexOf(END, at)
    if (found !== -1) return found + END.length
    for (at = Math.max(at, octets.length - END.length + 1); at < octets.length; at += 1)
      this.#step(octets[at] as number)
    return -1
  }

  #step(octet: number): void {
    if (octet === END[this.#matched]) this.#matched += 1
    else this.#matched = octet === END[0] ? 1 : 0
  }
}
