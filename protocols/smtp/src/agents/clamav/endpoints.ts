// SPDX-License-Identifier: MIT
import { type Address, type Cancellation, CancellationSource, type Clock } from '@portico/base'
import type { TimerWheel } from '@portico/net'
import { ServiceLine } from '../service-line.js'

/** One that gave no answer is asked last for so long, in milliseconds. */
const AVOIDED = 30_000

export interface EndpointOptions {
  readonly addresses: readonly Address[]
  /** Milliseconds for all of them together. */
  readonly deadline: number
  readonly clock: Clock
  readonly wheel: TimerWheel
}

/** Interchangeable services: asked in their order until one answers, each for its share of the time that is left. */
export class Endpoints {
  readonly #options: EndpointOptions
  readonly #avoidedUntil = new Map<Address, number>()

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  /** Throws what the last one did when none has answered. */
  async ask<T>(question: (line: ServiceLine, signal: Cancellation) => Promise<T>, signal: Cancellation): Promise<T> {
    const { clock, deadline } = this.#options
    const until = clock.now() + deadline
    const addresses = this.#inOrder()
    let last: unknown
    for (const [at, address] of addresses.entries()) {
      const share = (until - clock.now()) / (addresses.length - at)
      if (signal.aborted || share <= 0) break
      try {
        const answer = await this.#askOne(address, share, question, signal)
        this.#avoidedUntil.delete(address)
        return answer
      } catch (error) {
        last = error
        // Not its fault when the sender has left.
        if (!signal.aborted) this.#avoidedUntil.set(address, clock.now() + AVOIDED)
      }
    }
    throw last ?? new Error('no time was left to ask the service')
  }

  #inOrder(): readonly Address[] {
    const now = this.#options.clock.now()
    const isAvoided = (address: Address): boolean => (this.#avoidedUntil.get(address) ?? 0) > now
    const { addresses } = this.#options
    return [...addresses.filter((one) => !isAvoided(one)), ...addresses.filter(isAvoided)]
  }

  async #askOne<T>(
    address: Address,
    ms: number,
    question: (line: ServiceLine, signal: Cancellation) => Promise<T>,
    signal: Cancellation,
  ): Promise<T> {
    const { wheel } = this.#options
    const patience = new CancellationSource()
    const limit = wheel.add(ms, () => patience.abort('deadline'))
    signal.onAbort = (reason) => patience.abort(reason)
    try {
      using line = await ServiceLine.to(address, { wheel, timeoutMs: ms, signal: patience })
      return await question(line, patience)
    } finally {
      limit.cancel()
      signal.onAbort = undefined
    }
  }
}
