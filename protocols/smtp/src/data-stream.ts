// SPDX-License-Identifier: MIT

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

  /** Octets taken so far, whatever they were. */
  get total(): number {
    return this.#total
  }

  /** Takes the next octets. After the end nothing is taken. */
  feed(view: Uint8Array): Scanned {
    const start = this.#total
    const held = HELD[this.#place]
    let at = 0
    while (at < view.length && !this.#ended) {
      const octet = view[at] as number
      if (this.#place !== 'in-line' || octet === CR || octet === LF || octet === NUL) this.#step(octet, start + at)
      at += 1
    }
    this.#total = start + at
    const safe = this.#safe()
    const already = this.#passed
    this.#passed = Math.max(already, safe)
    return { held: held.slice(0, Math.max(0, safe - already)), upTo: Math.max(0, safe - start), taken: at }
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
    if (before === 'dot') this.#stuffing += 1
    this.#place = 'in-line'
  }

  /** The first fault counts; whatever was kept back belongs to it. */
  #fault(offset: number): void {
    this.#faultAt ??= offset - HELD[this.#place].length
    this.#place = 'in-line'
  }
}

const NAME = 'received'

/** Counts the Received fields of a message's header as it passes by (RFC 5321 section 6.3), in constant memory. */
export class HopCounter {
  #hops = 0
  /** Characters of the field name matched so far; -1: this line is something else. */
  #matched = 0
  #lineLength = 0
  #inHeader = true

  get hops(): number {
    return this.#hops
  }

  /** The octets `view[0..upTo)` of the message. Free of cost after the header. */
  feed(view: Uint8Array, upTo: number): void {
    for (let at = 0; this.#inHeader && at < upTo; at += 1) this.#octet(view[at] as number)
  }

  /** As feed, for octets that were kept back. */
  feedText(latin1: string): void {
    if (latin1.length > 0) this.feed(Buffer.from(latin1, 'latin1'), latin1.length)
  }

  #octet(octet: number): void {
    if (octet === LF) {
      if (this.#lineLength === 0) this.#inHeader = false
      this.#matched = 0
      this.#lineLength = 0
      return
    }
    if (octet === CR) return
    this.#lineLength += 1
    if (this.#matched === -1) return
    if (this.#matched === NAME.length) this.#afterName(octet)
    else this.#matched = (octet | 0x20) === NAME.charCodeAt(this.#matched) ? this.#matched + 1 : -1
  }

  /** The obsolete syntax allows white space in front of the colon (RFC 5322 section 4.5). */
  #afterName(octet: number): void {
    if (octet === 0x20 || octet === 0x09) return
    if (octet === 0x3a) this.#hops += 1
    this.#matched = -1
  }
}
