// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import type { Octets } from '@portico/net'
import type { Canonicalization } from './canonical-header.js'

const CR = 13
const LF = 10
const TAB = 9
const SPACE = 32
/** Octets that are hashed at once. */
const ROOM = 16 * 1024
/** From here on there is no room for an octet and what has to go before it. */
const FULL = ROOM - 4

/**
 * The hash of a body as it is signed (RFC 6376 sections 3.4.3 and 3.4.4). The body comes in pieces of any size; time and memory
 * do not depend on how its lines are. CR and LF that are not together are octets like others.
 */
export class BodyHash {
  readonly #relaxed: boolean
  readonly #hash = createHash('sha256')
  readonly #room = Buffer.allocUnsafe(ROOM)
  #used = 0
  /** Octets of the canonical body that were hashed. */
  #length = 0
  /** Ends of lines behind the last octet that counts: they count once another one comes. */
  #lineEnds = 0
  #blank = false
  #cr = false
  #empty = true

  constructor(form: Canonicalization) {
    this.#relaxed = form === 'relaxed'
  }

  update(piece: Octets): void {
    const room = this.#room
    for (let at = 0; at < piece.length; at += 1) {
      const octet = piece[at] ?? 0
      if (this.#cr) {
        this.#cr = false
        if (octet === LF) {
          this.#blank = false
          this.#lineEnds += 1
          continue
        }
        this.#beforeContent()
        room[this.#used++] = CR
      }
      if (octet === CR) this.#cr = true
      else if (this.#relaxed && (octet === SPACE || octet === TAB)) this.#blank = true
      else {
        if (this.#lineEnds > 0 || this.#blank || this.#empty || this.#used >= FULL) this.#beforeContent()
        room[this.#used++] = octet
      }
    }
  }

  /** The hash in base64, and the octets of the canonical body. Once. */
  finish(): { readonly hash: string; readonly length: number } {
    if (this.#cr) {
      this.#beforeContent()
      this.#room[this.#used++] = CR
    }
    if (!this.#empty || !this.#relaxed) this.#putLineEnd()
    this.#flush()
    return { hash: this.#hash.digest('base64'), length: this.#length }
  }

  /** Puts what counts since another octet comes behind it, and makes room for that. */
  #beforeContent(): void {
    for (; this.#lineEnds > 0; this.#lineEnds -= 1) this.#putLineEnd()
    if (this.#used >= FULL) this.#flush()
    if (this.#blank) this.#room[this.#used++] = SPACE
    this.#blank = false
    this.#empty = false
  }

  #putLineEnd(): void {
    if (this.#used >= FULL) this.#flush()
    this.#room[this.#used++] = CR
    this.#room[this.#used++] = LF
  }

  #flush(): void {
    this.#hash.update(this.#room.subarray(0, this.#used))
    this.#length += this.#used
    this.#used = 0
  }
}
