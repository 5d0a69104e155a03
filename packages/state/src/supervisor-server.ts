// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import { isStoreMessage, type MessageChannel, type StoreRequest, toBytes, toText } from './channel.js'
import type { MemoryStore } from './memory.js'
import type { BucketLimits, Held } from './store.js'

/**
 * Lets one worker use the supervisor's store over a channel; takes the channel's `onMessage`. Disposal, when the worker is gone,
 * gives its leases back and ends its subscriptions.
 */
export function serveStore(channel: MessageChannel, store: MemoryStore): Disposable {
  const desk = new Desk(channel, store)
  channel.onMessage = (message) => {
    if (isStoreMessage(message) && message.state === 'ask') void desk.answer(message)
  }
  return {
    [Symbol.dispose]() {
      channel.onMessage = undefined
      desk.close()
    },
  }
}

/** Counters in one message. */
const MOST_AT_ONCE = 500

class Desk {
  readonly #channel: MessageChannel
  readonly #store: MemoryStore
  readonly #held = new Map<number, Held>()
  readonly #topics = new Map<string, Disposable>()
  #following: Disposable | undefined
  #lastHeld = 0
  #closed = false

  constructor(channel: MessageChannel, store: MemoryStore) {
    this.#channel = channel
    this.#store = store
  }

  async answer({ id, operation, args }: StoreRequest): Promise<void> {
    let ok = true
    let value: unknown
    try {
      value = await this.#do(operation, args)
    } catch {
      ok = false
    }
    if (!this.#closed) this.#channel.send({ state: 'answer', id, ok, value })
  }

  close(): void {
    this.#closed = true
    for (const held of this.#held.values()) void held[Symbol.asyncDispose]()
    for (const topic of this.#topics.values()) topic[Symbol.dispose]()
    this.#held.clear()
    this.#topics.clear()
    this.#following?.[Symbol.dispose]()
  }

  async #do(operation: StoreRequest['operation'], args: readonly unknown[]): Promise<unknown> {
    const store = this.#store
    const key = String(args[0])
    switch (operation) {
      case 'increment':
        return store.increment(key, Number(args[1]), Number(args[2]), NEVER)
      case 'take':
        return store.take(key, Number(args[1]), args[2] as BucketLimits, NEVER)
      case 'get': {
        const stored = await store.get(key, NEVER)
        return stored.kind === 'value' ? { kind: 'value', value: toText(stored.value) } : stored
      }
      case 'set':
        return store.set(key, toBytes(args[1]), Number(args[2]), NEVER)
      case 'compareAndSet': {
        const expected = typeof args[1] === 'string' ? toBytes(args[1]) : undefined
        return store.compareAndSet(key, expected, toBytes(args[2]), Number(args[3]), NEVER)
      }
      case 'expire':
        return store.expire(key, NEVER)
      case 'publish':
        return store.publish(key, toBytes(args[1]), NEVER)
      case 'lease':
        return this.#lease(key, Number(args[1]))
      case 'renew':
        return (await this.#held.get(Number(args[0]))?.renew(NEVER)) ?? false
      case 'giveBack':
        return this.#giveBack(Number(args[0]))
      case 'subscribe':
        return this.#subscribe(key)
      case 'unsubscribe':
        this.#topics.get(key)?.[Symbol.dispose]()
        return this.#topics.delete(key)
      case 'followCounters':
        return this.#followCounters()
    }
  }

  async #lease(key: string, ttlMs: number): Promise<number | undefined> {
    const held = await this.#store.lease(key, ttlMs, NEVER)
    if (held === undefined) return undefined
    if (this.#closed) {
      await held[Symbol.asyncDispose]()
      return undefined
    }
    this.#lastHeld += 1
    this.#held.set(this.#lastHeld, held)
    return this.#lastHeld
  }

  async #giveBack(number: number): Promise<void> {
    const held = this.#held.get(number)
    this.#held.delete(number)
    await held?.[Symbol.asyncDispose]()
  }

  #subscribe(topic: string): void {
    if (this.#topics.has(topic)) return
    const subscription = this.#store.subscribe(topic, (message) => {
      this.#channel.send({ state: 'event', topic, message: toText(message) })
    })
    this.#topics.set(topic, subscription)
  }

  /** All of them first, then each change: the answer to this comes when the worker knows as much as the supervisor. */
  #followCounters(): void {
    const { counters } = this.#store
    const known = counters.states()
    for (let at = 0; at < known.length; at += MOST_AT_ONCE) {
      this.#channel.send({ state: 'counts', counters: known.slice(at, at + MOST_AT_ONCE) })
    }
    this.#following ??= counters.watch((changed) => this.#channel.send({ state: 'counts', counters: [changed] }))
  }
}
