// SPDX-License-Identifier: MIT

const HIDDEN = '***'

/** Holds a password, token or key so that no log, error or inspection can print it. */
export class Secret<T = string> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  /** The only way to the value: search for its callers to see where secrets go. */
  expose(): T {
    return this.#value
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN
  }
}
