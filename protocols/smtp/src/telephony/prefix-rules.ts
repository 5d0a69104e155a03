// SPDX-License-Identifier: MIT
import { PREMIUM_PREFIXES } from './premium-prefixes.js'

/** Which numbers may be called: beginnings of numbers, each with its plus sign. */
export interface PrefixLists {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
}

/** The longest prefix that a number begins with decides. */
export class PrefixRules {
  readonly #allowed: ReadonlyMap<string, boolean>
  readonly #longest: number

  /** Of two that are equally long `deny` counts, and what the site has written counts more than what is known to cost much. */
  constructor({ allow, deny }: PrefixLists) {
    this.#allowed = new Map([
      ...PREMIUM_PREFIXES.map((prefix) => [prefix, false] as const),
      ...allow.map((prefix) => [prefix, true] as const),
      ...deny.map((prefix) => [prefix, false] as const),
    ])
    this.#longest = Math.max(...[...this.#allowed.keys()].map(({ length }) => length))
  }

  /** Whether a number may be called. One that no prefix matches may not. */
  allows(number: string): boolean {
    for (let length = Math.min(this.#longest, number.length); length > 1; length -= 1) {
      const allowed = this.#allowed.get(number.slice(0, length))
      if (allowed !== undefined) return allowed
    }
    return false
  }
}
