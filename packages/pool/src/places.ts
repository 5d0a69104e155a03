// SPDX-License-Identifier: MIT
import type { Cancellation, Clock } from '@portico/base'
import type { TimerWheel } from '@portico/net'
import { Slots, type Taken } from './slots.js'

/** What is counted together: connections in use or being opened have a place, those that rest are remembered, oldest first. */
export class Quota {
  readonly slots: Slots
  readonly #max: number
  readonly #resting = new Map<object, () => void>()

  constructor(wheel: TimerWheel, max: number, queue: number) {
    this.slots = new Slots(wheel, max, queue)
    this.#max = max
  }

  get resting(): number {
    return this.#resting.size
  }

  /** One more connection would be too many. */
  get full(): boolean {
    return this.slots.taken + this.#resting.size >= this.#max
  }

  rest(connection: object, evict: () => void): void {
    this.#resting.set(connection, evict)
  }

  wake(connection: object): void {
    this.#resting.delete(connection)
  }

  /** A connection is about to be opened: what rests gives way to it. */
  makeRoom(): void {
    for (const evict of this.#resting.values()) {
      if (this.slots.taken + this.#resting.size <= this.#max) return
      evict()
    }
  }
}

/** The places of one backend, within those of its group. */
export class Places {
  readonly own: Quota
  readonly #group: Quota | undefined
  readonly #clock: Clock

  constructor(clock: Clock, own: Quota, group: Quota | undefined) {
    this.#clock = clock
    this.own = own
    this.#group = group
  }

  get taken(): number {
    return this.own.slots.taken
  }

  get waiting(): number {
    return this.own.slots.waiting
  }

  get full(): boolean {
    return this.own.full || this.#group?.full === true
  }

  takeFree(): boolean {
    if (!this.own.slots.takeFree()) return false
    if (this.#group === undefined || this.#group.slots.takeFree()) return true
    this.own.slots.free()
    return false
  }

  /** Waits for both places, at most `ms` together. */
  async take(ms: number, signal: Cancellation): Promise<Taken> {
    const until = this.#clock.now() + ms
    const own = await this.own.slots.take(ms, signal)
    if (own !== 'taken' || this.#group === undefined) return own
    const group = await this.#group.slots.take(ms <= 0 ? 0 : Math.max(1, until - this.#clock.now()), signal)
    if (group !== 'taken') this.own.slots.free()
    return group
  }

  free(): void {
    this.#group?.slots.free()
    this.own.slots.free()
  }

  rest(connection: object, evict: () => void): void {
    this.own.rest(connection, evict)
    this.#group?.rest(connection, evict)
  }

  wake(connection: object): void {
    this.own.wake(connection)
    this.#group?.wake(connection)
  }

  makeRoom(): void {
    this.own.makeRoom()
    this.#group?.makeRoom()
  }
}
