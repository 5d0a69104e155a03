// SPDX-License-Identifier: MIT
import { type Cancellation, type Clock, NEVER } from '@portico/base'
import type { StateStore } from '@portico/state'
import type { Seen } from './history.js'
import { type Client, countIn, isBlocked, type ReputationRules, readSlot, slotOf, writeSlot } from './slot.js'

/** Others write to the same slot meanwhile: so often it is read again. */
const TRIES = 8
/** Messages that wait to be counted. With more of them the store is in trouble, and a count more or less is the least of it. */
const MOST_WAITING = 1_000

export interface ReputationMemoryOptions {
  readonly state: StateStore
  readonly clock: Clock
  readonly rules: ReputationRules
  /** A client is blocked from now on; told by the process that has counted the message which was too much. */
  readonly blocked: (client: string, level: number) => void
  /** A message could not be counted: a mistake of ours. */
  readonly failed: (error: unknown) => void
}

/**
 * What all processes and nodes that share a store know of clients. While the store is away what it said last holds, and what is
 * counted meanwhile counts here until it is back.
 */
export class ReputationMemory {
  readonly #options: ReputationMemoryOptions
  /** As they were seen last: at most as many as there are slots. */
  readonly #seen = new Map<string, readonly Client[]>()
  #waiting = 0
  #last: Promise<void> = Promise.resolve()

  constructor(options: ReputationMemoryOptions) {
    this.#options = options
  }

  /** Whether a client is blocked, as far as this process has heard. */
  knowsBlocked(client: string): boolean {
    return isBlocked(this.#seen.get(slotOf(client)) ?? [], client, this.#options.clock.wallNow())
  }

  /** Asks the store. */
  async isBlocked(client: string, signal: Cancellation): Promise<boolean> {
    const slot = slotOf(client)
    const stored = await this.#options.state.get(slot, signal)
    if (stored.kind !== 'unavailable')
      this.#seen.set(slot, readSlot(stored.kind === 'value' ? stored.value : undefined))
    return this.knowsBlocked(client)
  }

  /** Counts one message of a client, when it is its turn. `look` finds out what has to be asked for. Never rejects. */
  count(client: string, look: () => Promise<Seen>): Promise<void> {
    if (this.#waiting >= MOST_WAITING) return this.#last
    this.#waiting += 1
    const seen = look()
    this.#last = this.#last
      .then(async () => this.#add(client, await seen))
      .catch(this.#options.failed)
      .finally(() => {
        this.#waiting -= 1
      })
    return this.#last
  }

  async #add(client: string, seen: Seen): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) if (await this.#tryToAdd(client, seen)) return
  }

  /** False: somebody else was faster. */
  async #tryToAdd(client: string, seen: Seen): Promise<boolean> {
    const { state, clock, rules, blocked } = this.#options
    const slot = slotOf(client)
    const stored = await state.get(slot, NEVER)
    const before = stored.kind === 'value' ? stored.value : undefined
    const known = stored.kind === 'unavailable' ? (this.#seen.get(slot) ?? []) : readSlot(before)
    const { clients, newlyBlocked } = countIn(known, client, seen, rules, clock.wallNow())
    const keep = Math.max(rules.window, rules.blockFor)
    if (stored.kind !== 'unavailable') {
      const done = await state.compareAndSet(slot, before, writeSlot(clients), keep, NEVER)
      if (done === 'differs') return false
    }
    this.#seen.set(slot, clients)
    if (newlyBlocked !== undefined) blocked(client, newlyBlocked)
    return true
  }
}
