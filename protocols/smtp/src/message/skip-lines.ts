// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'

const CR = 13
const LF = 10
const DOT = 46
/** Octets from this one on are no controls that matter. */
const HARMLESS = 14
/** {@link HARMLESS}, and the highest bit, in each octet of a word. */
const HARMLESS_WORD = 0x0e0e0e0e
const HIGH_BITS = 0x80808080 | 0
/** Below this many octets a view of words costs more than it saves. */
const WORTH_WORDS = 64

/** The octets of a view as whole words of its memory, from the one that holds its first octet on; undefined for short views. */
export function wordsOf(view: Octets): Int32Array | undefined {
  if (view.length < WORTH_WORDS) return undefined
  const shift = view.byteOffset & 3
  return new Int32Array(view.buffer, view.byteOffset - shift, (shift + view.length) >> 2)
}

/**
 * Skips what needs no thought in a message of lines. `from` is within a line; what is skipped is text and CRLFs that no dot
 * follows. Gives the offset of the first CR, LF or NUL that needs some, or the view's length. `words`: see {@link wordsOf}.
 */
export function skipLines(view: Octets, words: Int32Array | undefined, from: number): number {
  const { length } = view
  if (words === undefined) return skipOctets(view, from, length)
  const shift = view.byteOffset & 3
  let at = from
  while (at < length) {
    // To the end of a word, and then as many as hold no control.
    const end = Math.min(length, ((at + shift) | 3) + 1 - shift)
    at = skipOctets(view, at, end)
    if (at < end) return at
    if (((at + shift) & 3) === 0) at = Math.min(length, (skipWords(words, (at + shift) >> 2) << 2) - shift)
  }
  return at
}

/** As skipLines, octet by octet: up to `end`, or a little more when a CRLF lies across it. */
function skipOctets(view: Octets, from: number, end: number): number {
  let at = from
  while (at < end) {
    const octet = view[at] as number
    if (octet >= HARMLESS) at += 1
    else if (octet === CR) {
      if (view[at + 1] !== LF || at + 2 >= view.length || view[at + 2] === DOT) return at
      at += 2
    } else if (octet === LF || octet === 0) return at
    else at += 1
  }
  return at
}

/**
 * The first word from `from` on that holds an octet below {@link HARMLESS}, or the number of words. Four words at a time are asked
 * whether one could; octets above 127 can be the reason, too, and then each word is asked for sure.
 */
function skipWords(words: Int32Array, from: number): number {
  const { length } = words
  let at = from
  while (at < length) {
    while (at + 3 < length && (borrows(words, at) & HIGH_BITS) === 0) at += 4
    const end = Math.min(length, at + 4)
    for (; at < end; at += 1) {
      const word = words[at] as number
      if (((word - HARMLESS_WORD) & ~word & HIGH_BITS) !== 0) return at
    }
  }
  return at
}

function borrows(words: Int32Array, at: number): number {
  return (
    ((words[at] as number) - HARMLESS_WORD) |
    ((words[at + 1] as number) - HARMLESS_WORD) |
    ((words[at + 2] as number) - HARMLESS_WORD) |
    ((words[at + 3] as number) - HARMLESS_WORD)
  )
}
