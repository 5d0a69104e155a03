// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { TimerWheel } from '@portico/net'

/** A counted number of places with a queue in front. First come, first served; whoever gives up leaves no trace. */
export class Slots {
  readonly #wheel: TimerWheel
  readonly #max: number
  readonly #queue = new Set<() => void>()
  #taken = 0

  constructor(wheel: TimerWheel, max: number) {
    this.#wheel = wheel
    this.#max = max
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

  /** Waits for a place, at most `ms`. A taken place is given back by `free`, once. */
  take(ms: number, signal: Cancellation): Promise<'taken' | 'busy' | 'cancelled'> {
    if (signal.aborted) return Promise.resolve('cancelled')
    if (this.takeFree()) return Promise.resolve('taken')
    return new Promise((resolve) => {
      const leave = (how: 'taken' | 'busy' | 'cancelled') => {
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
