// SPDX-License-Identifier: MIT
import type { BodyDecoder, BodyFault } from './body.js'
import { COLON, CR, HEX, LF, SEMICOLON, TOKEN, VALUE } from './chars.js'

/** 13 hexadecimal digits stay exact in a number. */
const MOST_DIGITS = 13
/** Extensions mean nothing to us (RFC 9112 section 7.1.1); all those of one message together may be this long. */
const MOST_EXTENSION = 16 * 1024
/** Trailers are dropped (RFC 9112 section 7.1.2), and borne up to this size. */
const MOST_TRAILER = 8 * 1024

type State =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer-start'
  | 'trailer-name'
  | 'trailer-value'
  | 'trailer-lf'
  | 'end-lf'
  | 'done'

/**
 * The chunked coding (RFC 9112 section 7.1), strictly: hexadecimal digits without white space, CRLF everywhere, no bare LF.
 * Extensions and trailers are checked, limited and dropped.
 */
export class ChunkedDecoder implements BodyDecoder {
  readonly spans: number[] = []
  size = 0
  fault: BodyFault | undefined
  #state: State = 'size'
  #left = 0
  #digits = 0
  #extension = 0
  #trailer = 0

  get done(): boolean {
    return this.#state === 'done'
  }

  push(view: Buffer): number {
    this.spans.length = 0
    this.size = 0
    let at = 0
    while (at < view.length && this.#state !== 'done' && this.fault === undefined) {
      if (this.#state === 'data') at = this.#content(view, at)
      else {
        this.#framing(view[at] ?? 0)
        at += 1
      }
    }
    return at
  }

  #content(view: Buffer, at: number): number {
    const end = Math.min(view.length, at + this.#left)
    this.spans.push(at, end)
    this.size += end - at
    this.#left -= end - at
    if (this.#left === 0) this.#state = 'data-cr'
    return end
  }

  #framing(octet: number): void {
    switch (this.#state) {
      case 'size':
        this.#state = this.#afterSizeOctet(octet)
        break
      case 'extension':
        this.#state = this.#afterExtensionOctet(octet)
        break
      case 'size-lf':
        this.#state = octet === LF ? this.#afterSize() : this.#fail('bad-chunk-size')
        break
      case 'data-cr':
        this.#state = octet === CR ? 'data-lf' : this.#fail('bad-chunk-end')
        break
      case 'data-lf':
        this.#state = octet === LF ? 'size' : this.#fail('bad-chunk-end')
        break
      case 'trailer-start':
        this.#state = octet === CR ? 'end-lf' : this.#afterTrailerOctet(TOKEN[octet] !== 0, 'trailer-name')
        break
      case 'trailer-name':
        this.#state =
          octet === COLON
            ? this.#afterTrailerOctet(true, 'trailer-value')
            : this.#afterTrailerOctet(TOKEN[octet] !== 0, 'trailer-name')
        break
      case 'trailer-value':
        this.#state = octet === CR ? 'trailer-lf' : this.#afterTrailerOctet(VALUE[octet] === 1, 'trailer-value')
        break
      case 'trailer-lf':
        this.#state = octet === LF ? 'trailer-start' : this.#fail('bad-trailer')
        break
      default:
        this.#state = octet === LF ? 'done' : this.#fail('bad-trailer')
    }
  }

  #afterSizeOctet(octet: number): State {
    const digit = HEX[octet] ?? 255
    if (digit !== 255) {
      this.#digits += 1
      this.#left = this.#left * 16 + digit
      return this.#digits > MOST_DIGITS ? this.#fail('bad-chunk-size') : 'size'
    }
    if (this.#digits === 0) return this.#fail('bad-chunk-size')
    if (octet === CR) return 'size-lf'
    return octet === SEMICOLON ? this.#afterExtensionOctet(octet) : this.#fail('bad-chunk-size')
  }

  #afterSize(): State {
    this.#digits = 0
    return this.#left === 0 ? 'trailer-start' : 'data'
  }

  #afterExtensionOctet(octet: number): State {
    if (octet === CR) return 'size-lf'
    this.#extension += 1
    if (this.#extension > MOST_EXTENSION) return this.#fail('chunk-line-too-long')
    return VALUE[octet] === 1 ? 'extension' : this.#fail('bad-chunk-size')
  }

  /** Trailers are field lines: what looks like the next request is none of them. */
  #afterTrailerOctet(fits: boolean, next: State): State {
    this.#trailer += 1
    if (this.#trailer > MOST_TRAILER) return this.#fail('trailers-too-long')
    return fits ? next : this.#fail('bad-trailer')
  }

  #fail(fault: BodyFault): State {
    this.fault = fault
    return this.#state
  }
}
