// SPDX-License-Identifier: MIT

/** Lets so many tasks run at a time and so many more wait, in their order. */
export class Lane {
  readonly #places: number
  readonly #mostWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(places: number, mostWaiting: number) {
    this.#places = places
    this.#mostWaiting = mostWaiting
  }

  /** `undefined`: too many wait already, and the task was not begun. */
  async run<T>(task: () => Promise<T>): Promise<T | undefined> {
    if (this.#running < this.#places) this.#running += 1
    else if (this.#waiting.length >= this.#mostWaiting) return undefined
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      // A place goes over to who waits longest, so that nobody comes between.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}
