// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'
import { skipLines, wordsOf } from './skip-lines.js'

const NUL = 0
const CR = 13
const LF = 10
const DOT = 46

/** Where in a line the scanner stands. `dot-cr`: a line that is `.` CR so far. */
type Place = 'line-start' | 'in-line' | 'cr' | 'dot' | 'dot-cr'

/** What is kept back at each place, because it could belong to the terminator or turn out to be a fault. */
const HELD: Readonly<Record<Place, string>> = {
  'line-start': '',
  'in-line': '',
  cr: '\r',
  dot: '.',
  'dot-cr': '.\r',
}

/** What a view came to: first `held` (kept back from earlier views), then `view[0..upTo)` may go on to the backend. */
export interface Scanned {
  readonly held: string
  readonly upTo: number
  /** Octets of the view that belong to the message or its terminator; what follows are commands. */
  readonly taken: number
}

/**
 * Finds the end of a dot-stuffed message (RFC 5321 section 4.5.2) whatever the pieces it comes in. Only CRLF `.` CRLF ends it;
 * a CR or LF outside CRLF is a fault (section 2.3.8), since somebody behind might take it for a line end, and so is NUL, which no
 * message may hold (RFC 2045 section 2.8): who drops it might find a terminator around it. Neither the terminator nor anything
 * from a fault on is ever passed on. Constant memory.
 */
export class DataScanner {
  #place: Place = 'line-start'
  #total = 0
  #passed = 0
  #stuffing = 0
  #ended = false
  #faultAt: number | undefined
  #nul = false

  /** The terminator was seen. */
  get ended(): boolean {
    return this.#ended
  }

  /** A bare CR, a bare LF or a NUL was seen. The end is still looked for. */
  get faulty(): boolean {
    return this.#faultAt !== undefined
  }

  /** The first fault was a NUL. */
  get hasNul(): boolean {
    return this.#nul
  }

  /** Octets of the message so far, without terminator and stuffing (RFC 1870 section 5). */
  get size(): number {
    return this.#safe() - this.#stuffing
  }

  /** Takes the next octets. After the end nothing is taken. */
  feed(view: Octets): Scanned {
    const start = this.#total
    const held = HELD[this.#place]
    const words = wordsOf(view)
    let at = 0
    while (at < view.length && !this.#ended) {
      if (this.#place === 'in-line') at = this.#skip(view, words, at)
      if (at === view.length) break
      this.#step(view[at] as number, start + at)
      at += 1
    }
    this.#total = start + at
    const safe = this.#safe()
    const already = this.#passed
    this.#passed = Math.max(already, safe)
    return { held: held.slice(0, Math.max(0, safe - already)), upTo: Math.max(0, safe - start), taken: at }
  }

  /** Goes on to the first octet that needs thought; a dot that can only be stuffing needs none. */
  #skip(view: Octets, words: Int32Array | undefined, from: number): number {
    let at = skipLines(view, words, from)
    while (view[at] === CR && view[at + 1] === LF && view[at + 2] === DOT && (view[at + 3] as number) > CR) {
      if (this.#faultAt === undefined) this.#stuffing += 1
      at = skipLines(view, words, at + 3)
    }
    return at
  }

  /** The offset up to which octets may be passed on. */
  #safe(): number {
    if (this.#faultAt !== undefined) return this.#faultAt
    return this.#ended ? this.#total - 3 : this.#total - HELD[this.#place].length
  }

  #step(octet: number, offset: number): void {
    const before = this.#place
    if (octet === NUL) {
      this.#nul ||= this.#faultAt === undefined
      this.#fault(offset)
    } else if (octet === LF) {
      if (before === 'dot-cr') this.#ended = true
      else if (before === 'cr') this.#place = 'line-start'
      else this.#fault(offset)
    } else if (before === 'cr' || before === 'dot-cr') {
      this.#fault(offset)
      if (octet === CR) this.#place = 'cr'
    } else if (octet === CR) this.#place = before === 'dot' ? 'dot-cr' : 'cr'
    else if (octet === DOT && before === 'line-start') this.#place = 'dot'
    else this.#text(before)
  }

  #text(before: Place): void {
    if (before === 'dot' && this.#faultAt === undefined) this.#stuffing += 1
    this.#place = 'in-line'
  }

  /** The first fault counts; whatever was kept back belongs to it. */
  #fault(offset: number): void {
    this.#faultAt ??= offset - HELD[this.#place].length
    this.#place = 'in-line'
  }
}
