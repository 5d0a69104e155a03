// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'

const LF = 10
const CR = 13
const DOT = 46
/** With more dots than this a view is copied once instead of being written in pieces. */
const MOST_PIECES = 8

/**
 * Turns a plain message into the form that DATA has (RFC 5321 section 4.5.2): a dot goes in front of each line that begins with
 * one. Every LF ends a line here, so that nothing can end the message early even where a bare LF came through.
 */
export class DotStuffer {
  #last = LF
  #beforeLast = CR

  /** Writes the view with the dots it needs. Pieces are views of it, or new, and there are few of them. */
  stuff(view: Octets, write: (piece: Octets | string) => void): void {
    if (view.length === 0) return
    const dots = dotsOf(view, this.#last)
    if (dots.length > MOST_PIECES) write(stuffed(view, dots))
    else {
      let from = 0
      for (const dot of dots) {
        if (dot > from) write(view.subarray(from, dot))
        write('.')
        from = dot
      }
      write(from === 0 ? view : view.subarray(from))
    }
    this.#beforeLast = view.length > 1 ? (view[view.length - 2] as number) : this.#last
    this.#last = view[view.length - 1] as number
  }

  /** What ends the message: the CRLF that its last line may lack, and the terminator. */
  end(): string {
    return this.#last === LF && this.#beforeLast === CR ? '.\r\n' : '\r\n.\r\n'
  }
}

/** Turns a message in DATA form, without its terminator, into a plain one. The inverse of {@link DotStuffer} for any octets. */
export class DotUnstuffer {
  #last = LF

  /** Writes the view without its stuffing. Pieces are views of it, or new, and there are few of them. */
  unstuff(view: Octets, write: (piece: Octets) => void): void {
    if (view.length === 0) return
    const dots = dotsOf(view, this.#last)
    this.#last = view[view.length - 1] as number
    if (dots.length > MOST_PIECES) {
      write(unstuffed(view, dots))
      return
    }
    let from = 0
    for (const dot of dots) {
      if (dot > from) write(view.subarray(from, dot))
      from = dot + 1
    }
    if (from < view.length) write(from === 0 ? view : view.subarray(from))
  }
}

/** Octets in DATA form from the beginning of a line on, as plain ones. */
export function plainOf(section: Octets): Buffer {
  const pieces: Octets[] = []
  new DotUnstuffer().unstuff(section, (piece) => pieces.push(piece))
  return Buffer.concat(pieces)
}

const NONE: readonly number[] = []

/** Where the dots are that begin a line; `last` is the octet before the view. */
function dotsOf(view: Octets, last: number): readonly number[] {
  const octets = Buffer.from(view.buffer, view.byteOffset, view.length)
  const first = last === LF && octets[0] === DOT
  let at = octets.indexOf('\n.', 0, 'latin1')
  if (at === -1) return first ? [0] : NONE
  const dots = first ? [0] : []
  for (; at !== -1; at = octets.indexOf('\n.', at + 2, 'latin1')) dots.push(at + 1)
  return dots
}

function stuffed(view: Octets, dots: readonly number[]): Octets {
  const copy = Buffer.allocUnsafe(view.length + dots.length)
  let from = 0
  let to = 0
  for (const dot of dots) {
    copy.set(view.subarray(from, dot), to)
    to += dot - from
    copy[to] = DOT
    to += 1
    from = dot
  }
  copy.set(view.subarray(from), to)
  return copy
}

function unstuffed(view: Octets, dots: readonly number[]): Octets {
  const copy = Buffer.allocUnsafe(view.length - dots.length)
  let from = 0
  let to = 0
  for (const dot of dots) {
    copy.set(view.subarray(from, dot), to)
    to += dot - from
    from = dot + 1
  }
  copy.set(view.subarray(from), to)
  return copy
}
