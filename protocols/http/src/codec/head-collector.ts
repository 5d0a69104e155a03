// SPDX-License-Identifier: MIT
import { findHeadEnd } from './head.js'

/** Puts a head together from the pieces in which it comes. A head that comes in one piece is not copied. */
export class HeadCollector {
  /** The whole head after `push` returned its end; valid until the view that was pushed dies. */
  head: Buffer = Buffer.alloc(0)
  readonly #limit: number
  #kept: Buffer | undefined
  #length = 0
  #checked = 0

  /** Keeps a little more than `limit` octets, so that a longer head can be told from one that is not complete. */
  constructor(limit: number) {
    this.#limit = limit + 4
  }

  /** Nothing has come yet. */
  get empty(): boolean {
    return this.#length === 0
  }

  /** What has come of a head that is not complete. */
  get partial(): Buffer {
    return this.#kept?.subarray(0, this.#length) ?? Buffer.alloc(0)
  }

  /** How much of `partial` was there when this was asked last. */
  takeChecked(): number {
    const before = this.#checked
    this.#checked = this.#length
    return before
  }

  /** Adds octets. Returns how many of `view` belong to the head when it is complete, else -1: it took them all. */
  push(view: Buffer): number {
    if (this.#length === 0) {
      const end = findHeadEnd(view, 0)
      if (end >= 0) {
        this.head = view.subarray(0, end)
        return end
      }
    }
    const before = this.#length
    const kept = this.#keep(view)
    const end = findHeadEnd(kept.subarray(0, this.#length), Math.max(0, before - 3))
    if (end < 0) return -1
    this.head = kept.subarray(0, end)
    this.#kept = undefined
    this.#length = 0
    this.#checked = 0
    return end - before
  }

  #keep(view: Buffer): Buffer {
    const wanted = Math.min(this.#limit, this.#length + view.length)
    let kept = this.#kept
    if (kept === undefined || kept.length < wanted) {
      const larger = Buffer.allocUnsafe(Math.max(512, wanted * 2))
      kept?.copy(larger, 0, 0, this.#length)
      this.#kept = larger
      kept = larger
    }
    this.#length += view.copy(kept, this.#length, 0, wanted - this.#length)
    return kept
  }
}
