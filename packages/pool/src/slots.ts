// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { TimerWheel } from '@portico/net'

/** What waiting for a place came to. `busy`: none was free in time, or too many waited already. */
export type Taken = 'taken' | 'busy' | 'cancelled'

/** A counted number of places with a bounded queue in front. First come, first served; whoever gives up leaves no trace. */
export class Slots {
  readonly #wheel: TimerWheel
  readonly #max: number
  readonly #longest: number
  readonly #queue = new Set<() => void>()
  #taken = 0

  constructor(wheel: TimerWheel, max: number, longest: number) {
    this.#wheel = wheel
    this.#max = max
    this.#longest = longest
  }

  get taken(): number {
    return this.#taken
  }

  get waiting(): number {
    return this.#queue.size
  }

  /** Takes a place if one is free. */
  takeFree(): boolean {
    if (this.#taken >= this.#max) return false
    this.#taken += 1
    return true
  }

  /** Waits for a place, at most `ms`; 0 does not wait. A taken place is given back by `free`, once. */
  take(ms: number, signal: Cancellation): Promise<Taken> {
    if (signal.aborted) return Promise.resolve('cancelled')
    if (this.takeFree()) return Promise.resolve('taken')
    if (ms <= 0 || this.#queue.size >= this.#longest) return Promise.resolve('busy')
    return new Promise((resolve) => {
      const leave = (how: Taken) => {
        this.#queue.delete(serve)
        limit.cancel()
        signal.onAbort = undefined
        resolve(how)
      }
      const serve = () => leave('taken')
      const limit = this.#wheel.add(ms, () => leave('busy'))
      this.#queue.add(serve)
      signal.onAbort = () => leave('cancelled')
    })
  }

  free(): void {
    const [next] = this.#queue
    if (next === undefined) this.#taken -= 1
    else next()
  }
}
