// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'

/**
 * What processes and nodes share. Every call takes a signal, settles, and says what holds when the store is away: counters and
 * budgets fall back to local ones, bans and revocations to the last known value, routes fail closed.
 * Keys are at most 512 octets of UTF-8; values at most 64 KiB.
 */
export interface StateStore extends AsyncDisposable {
  /** Adds to a counter that forgets itself `windowMs` after its first increment; returns the sum. Adding 0 only asks. Away: local sum. */
  increment(key: string, by: number, windowMs: number, signal: Cancellation): Promise<number>
  /** Takes from a token bucket. Away: local bucket. */
  take(bucket: string, cost: number, limits: BucketLimits, signal: Cancellation): Promise<BucketState>
  /** Away: `unavailable`. */
  get(key: string, signal: Cancellation): Promise<Stored>
  /** `ttlMs` 0 keeps the value until it is set again. False: the store is away. */
  set(key: string, value: Uint8Array, ttlMs: number, signal: Cancellation): Promise<boolean>
  /** Sets only if the present value is `expected` (`undefined`: absent). */
  compareAndSet(
    key: string,
    expected: Uint8Array | undefined,
    value: Uint8Array,
    ttlMs: number,
    signal: Cancellation,
  ): Promise<'set' | 'differs' | 'unavailable'>
  /** Removes the value. False: the store is away. */
  expire(key: string, signal: Cancellation): Promise<boolean>
  /** Holds a name for as long as it is renewed; undefined when somebody else has it or the store is away. */
  lease(key: string, ttlMs: number, signal: Cancellation): Promise<Held | undefined>
  /** Messages of one publisher arrive in order. A subscriber hears its own node's messages too. */
  publish(topic: string, message: Uint8Array, signal: Cancellation): Promise<boolean>
  subscribe(topic: string, listener: (message: Uint8Array) => void): Disposable
}

export interface BucketLimits {
  readonly capacity: number
  readonly refillPerSecond: number
}

export interface BucketState {
  readonly allowed: boolean
  readonly remaining: number
  /** 0 when allowed; else how long until the cost could be met. */
  readonly retryAfterMs: number
}

export type Stored =
  | { readonly kind: 'value'; readonly value: Uint8Array }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unavailable' }

/** A held lease. Disposal gives it back. */
export interface Held extends AsyncDisposable {
  /** False: it was lost. */
  renew(signal: Cancellation): Promise<boolean>
}
