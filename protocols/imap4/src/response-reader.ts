// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'
import { Tail } from './tail.js'

const HEADER_END = Buffer.from('}\r\n', 'latin1')
const [LF, CR, SPACE, STAR, PLUS, ZERO, NINE, OPEN, CLOSE] = [10, 13, 0x20, 0x2a, 0x2b, 0x30, 0x39, 0x7b, 0x7d]
/** The beginning of a line in which a response goes on behind a literal; no line of a server begins so. */
const GOING_ON = '*'.repeat(12)
/** So much of a line tells what kind it is. */
const HEAD = GOING_ON.length
/** A literal that is longer than this is no literal. */
const DIGITS = 15

/**
 * Knows where a server's responses end, in the stream that passes: at the CRLF of a line, unless that is the header of a literal
 * or lies within one (RFC 9051 section 4.3). The octets of literals, where nearly all traffic is, are only counted; elsewhere one
 * native search looks for headers. When anything is ambiguous it gives up, for the rest of the session.
 */
export class ResponseReader {
  /** The last of the text since the last literal. */
  readonly tail = new Tail()
  #lost = false
  #literal = 0
  /** The beginning of the line in which the text ends, empty where it ends with a line. */
  #head = ''

  /** Everything so far is whole responses. */
  get ended(): boolean {
    return !this.#lost && this.#literal === 0 && this.#head === ''
  }

  push(view: Octets): void {
    if (this.#lost) return
    const bytes = Buffer.isBuffer(view) ? view : Buffer.from(view.buffer, view.byteOffset, view.length)
    for (let from = this.#skip(bytes, 0); from < bytes.length; from = this.#skip(bytes, from)) {
      const end = this.#headerEnd(bytes, from)
      if (end === undefined) {
        this.#text(bytes, from)
        return
      }
      const length = this.#literalLength(bytes, from, end)
      if (length === undefined) {
        this.#text(bytes.subarray(0, end), from)
      } else if (Number.isNaN(length)) {
        this.#lost = true
        return
      } else {
        this.#literal = length
        this.#head = GOING_ON
        this.tail.clear()
      }
      from = end
    }
  }

  /** Passes over what is left of a literal. */
  #skip(bytes: Buffer, from: number): number {
    const count = Math.min(this.#literal, bytes.length - from)
    this.#literal -= count
    return from + count
  }

  /** Where the next line ends that ends with a brace; the brace and the CR may have come before. */
  #headerEnd(bytes: Buffer, from: number): number | undefined {
    const first = bytes[from]
    if (first === LF && this.tail.at(-1) === CR && this.tail.at(-2) === CLOSE) return from + 1
    if (first === CR && bytes[from + 1] === LF && this.tail.at(-1) === CLOSE) return from + 2
    const found = bytes.indexOf(HEADER_END, from)
    return found < 0 ? undefined : found + HEADER_END.length
  }

  /** What the header of a literal says; `undefined` where it is none, and not a number where that cannot be told. */
  #literalLength(bytes: Buffer, from: number, end: number): number | undefined {
    let length = 0
    let index = end - HEADER_END.length - 1
    for (let weight = 1; ; weight *= 10, index--) {
      const octet = this.#at(bytes, from, index)
      if (!isDigit(octet)) break
      length += (octet - ZERO) * weight
    }
    const digits = end - HEADER_END.length - 1 - index
    const before = this.#at(bytes, from, index)
    if (before === undefined || (digits === 0 && before === PLUS) || digits > DIGITS) return Number.NaN
    if (before !== OPEN || digits === 0) return undefined
    return this.#isData(bytes, from, index) ? length : Number.NaN
  }

  /** Whether the line that `index` is in can have a literal: text for people ends in whatever it likes. */
  #isData(bytes: Buffer, from: number, index: number): boolean {
    const start = index <= from ? -1 : bytes.lastIndexOf(LF, index - 1)
    // The usual case, without a string: `* 12 FETCH`.
    if (start >= from && bytes[start + 1] === STAR && bytes[start + 2] === SPACE && isDigit(bytes[start + 3]))
      return true
    const head = start >= from ? bytes.toString('latin1', start + 1, start + 1 + HEAD) : this.#headWith(bytes, from)
    return head.startsWith('*') && !/^\* (?:OK|NO|BAD|BYE|PREAUTH)\b/i.test(head)
  }

  #headWith(bytes: Buffer, from: number): string {
    const missing = HEAD - this.#head.length
    return missing === 0 ? this.#head : this.#head + bytes.toString('latin1', from, from + missing)
  }

  #text(bytes: Buffer, from: number): void {
    const lf = bytes.lastIndexOf(LF)
    this.#head = lf >= from ? bytes.toString('latin1', lf + 1, lf + 1 + HEAD) : this.#headWith(bytes, from)
    this.tail.push(from === 0 ? bytes : bytes.subarray(from))
  }

  /** An octet of the text, of which what lies before `from` has come earlier. */
  #at(bytes: Buffer, from: number, index: number): number | undefined {
    return index >= from ? bytes[index] : this.tail.at(index - from)
  }
}

function isDigit(octet: number | undefined): octet is number {
  return octet !== undefined && octet >= ZERO && octet <= NINE
}
