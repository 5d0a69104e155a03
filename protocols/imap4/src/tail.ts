// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'

const KEPT = 256
const [CR, LF] = [13, 10]

/** The end of a stream of octets. What it keeps is a copy; a push costs no more than that. */
export class Tail {
  readonly #memory = Buffer.allocUnsafe(KEPT)
  #length = 0
  #isWhole = true

  /** Nothing has come at all. */
  get isEmpty(): boolean {
    return this.#length === 0
  }

  push(view: Octets): void {
    const over = this.#length + view.length - KEPT
    if (over > 0) this.#isWhole = false
    if (view.length >= KEPT) {
      this.#memory.set(view.subarray(view.length - KEPT))
      this.#length = KEPT
      return
    }
    if (over > 0) {
      this.#memory.copyWithin(0, over, this.#length)
      this.#length -= over
    }
    this.#memory.set(view, this.#length)
    this.#length += view.length
  }

  clear(): void {
    this.#length = 0
    this.#isWhole = true
  }

  /** An octet counted from the end, which is -1; `undefined` when it is not kept. */
  at(index: number): number | undefined {
    return index + this.#length >= 0 ? this.#memory[index + this.#length] : undefined
  }

  /** The lines that are here from their first octet, without CRLF; `undefined` when the last one has no CRLF yet. */
  get lines(): readonly string[] | undefined {
    if (this.#length > 0 && (this.at(-1) !== LF || this.at(-2) !== CR)) return undefined
    const lines = this.#memory.toString('latin1', 0, this.#length).split('\r\n')
    return lines.slice(this.#isWhole ? 0 : 1, -1)
  }
}
