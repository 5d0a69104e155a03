// SPDX-License-Identifier: MIT
import type { Cancellation, Clock, Timer } from '@portico/base'
import type { MessageChannel, StoreOperation, StoreReply } from './channel.js'

/** No answer: the store is away, or the asker has no time any more. */
export const AWAY = Symbol('away')

interface Pending {
  readonly until: number
  readonly settle: (value: unknown) => void
}

/** Questions that wait for their answers. One timer serves all: the oldest question is the first to be given up. */
export class Requests {
  readonly #channel: MessageChannel
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #pending = new Map<number, Pending>()
  #last = 0
  #timer: Timer | undefined

  constructor(channel: MessageChannel, clock: Clock, timeoutMs: number) {
    this.#channel = channel
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** Settles always. */
  ask(operation: StoreOperation, args: readonly unknown[], signal: Cancellation): Promise<unknown> {
    if (signal.aborted || !this.#channel.open) return Promise.resolve(AWAY)
    this.#last += 1
    const id = this.#last
    return new Promise((resolve) => {
      const settle = (value: unknown) => {
        if (!this.#pending.delete(id)) return
        signal.onAbort = undefined
        resolve(value)
      }
      this.#pending.set(id, { until: this.#clock.now() + this.#timeoutMs, settle })
      this.#timer ??= this.#clock.after(this.#timeoutMs, () => this.#expire())
      signal.onAbort = () => settle(AWAY)
      if (!this.#channel.send({ state: 'ask', id, operation, args })) settle(AWAY)
    })
  }

  answered({ id, ok, value }: StoreReply): void {
    this.#pending.get(id)?.settle(ok ? value : AWAY)
  }

  /** Answers all with AWAY. */
  abandon(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const { settle } of [...this.#pending.values()]) settle(AWAY)
  }

  #expire(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    for (const { until, settle } of [...this.#pending.values()]) {
      if (until > now) {
        this.#timer = this.#clock.after(until - now, () => this.#expire())
        return
      }
      settle(AWAY)
    }
  }
}
