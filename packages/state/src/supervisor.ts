// SPDX-License-Identifier: MIT
import { type Cancellation, type Clock, NEVER, systemClock } from '@portico/base'
import { isStoreMessage, type MessageChannel, type StoreOperation, toBytes, toText } from './channel.js'
import { boundKey, checkValue } from './keys.js'
import { createMemoryStore } from './memory.js'
import { AWAY, Requests } from './requests.js'
import type { BucketState, Held, StateStore, Stored } from './store.js'
import { Topics } from './topics.js'

/**
 * The store of a worker: the supervisor keeps it, asked over a channel whose `onMessage` it takes. The store is away while the
 * channel is closed or an answer takes longer than `timeoutMs`. Counters and buckets are kept here too, so that they go on with
 * what this worker has seen. The supervisor tells of every counter that changes: who only asks for a sum, as each sign-in does,
 * is answered here, without a message.
 */
export function createSupervisorStore(
  channel: MessageChannel,
  options: { readonly clock?: Clock; readonly timeoutMs?: number } = {},
): StateStore {
  const { clock = systemClock, timeoutMs = 1_000 } = options
  const local = createMemoryStore({ clock })
  const requests = new Requests(channel, clock, timeoutMs)
  const topics = new Topics()
  const ask: Ask = (operation, args, signal) => requests.ask(operation, args, signal)
  channel.onMessage = (message) => {
    if (!isStoreMessage(message)) return
    if (message.state === 'answer') requests.answered(message)
    if (message.state === 'event') topics.deliver(message.topic, toBytes(message.message))
    if (message.state === 'counts') for (const counter of message.counters) local.counters.put(counter)
  }
  let following = false
  void ask('followCounters', [], NEVER).then((answer) => {
    following = answer !== AWAY
  })

  return {
    async increment(key, by, windowMs, signal) {
      if (by === 0 && following) return local.counters.sum(boundKey(key))
      const here = await local.increment(key, by, windowMs, signal)
      const answer = await ask('increment', [boundKey(key), by, windowMs], signal)
      return typeof answer === 'number' ? answer : here
    },
    async take(bucket, cost, limits, signal) {
      const here = await local.take(bucket, cost, limits, signal)
      const answer = await ask('take', [boundKey(bucket), cost, limits], signal)
      return answer === AWAY ? here : (answer as BucketState)
    },
    async get(key, signal): Promise<Stored> {
      const answer = await ask('get', [boundKey(key)], signal)
      if (answer === AWAY) return { kind: 'unavailable' }
      const stored = answer as { readonly kind: Stored['kind']; readonly value?: unknown }
      return stored.kind === 'value' ? { kind: 'value', value: toBytes(stored.value) } : { kind: stored.kind }
    },
    async set(key, value, ttlMs, signal) {
      checkValue(value)
      return (await ask('set', [boundKey(key), toText(value), ttlMs], signal)) === true
    },
    async compareAndSet(key, expected, value, ttlMs, signal) {
      checkValue(value)
      const before = expected === undefined ? null : toText(expected)
      const answer = await ask('compareAndSet', [boundKey(key), before, toText(value), ttlMs], signal)
      return answer === 'set' || answer === 'differs' ? answer : 'unavailable'
    },
    async expire(key, signal) {
      return (await ask('expire', [boundKey(key)], signal)) === true
    },
    async lease(key, ttlMs, signal) {
      const answer = await ask('lease', [boundKey(key), ttlMs], signal)
      return typeof answer === 'number' ? heldOver(ask, answer) : undefined
    },
    async publish(topic, message, signal) {
      checkValue(message)
      return (await ask('publish', [topic, toText(message)], signal)) === true
    },
    subscribe: (topic, listener) =>
      topics.subscribe(
        topic,
        listener,
        () => void ask('subscribe', [topic], NEVER),
        () => void ask('unsubscribe', [topic], NEVER),
      ),
    async [Symbol.asyncDispose]() {
      channel.onMessage = undefined
      requests.abandon()
      topics.clear()
    },
  }
}

type Ask = (operation: StoreOperation, args: readonly unknown[], signal: Cancellation) => Promise<unknown>

function heldOver(ask: Ask, number: number): Held {
  return {
    async renew(signal) {
      return (await ask('renew', [number], signal)) === true
    },
    async [Symbol.asyncDispose]() {
      await ask('giveBack', [number], NEVER)
    },
  }
}
