// SPDX-License-Identifier: MIT
import type { CounterState } from './counters.js'

/** The way between a worker and its supervisor: IPC of child_process, or anything like it. Messages keep their order. */
export interface MessageChannel {
  /** False: it was not sent. */
  send(message: unknown): boolean
  /** One slot. */
  onMessage: ((message: unknown) => void) | undefined
  readonly open: boolean
}

/** The methods of a store that are asked over a channel. */
export type StoreOperation =
  | 'increment'
  | 'take'
  | 'get'
  | 'set'
  | 'compareAndSet'
  | 'expire'
  | 'lease'
  | 'renew'
  | 'giveBack'
  | 'publish'
  | 'subscribe'
  | 'unsubscribe'
  | 'followCounters'

/** Worker to supervisor. Octets travel as base64, so that either serialization of child_process will do. */
export interface StoreRequest {
  readonly state: 'ask'
  readonly id: number
  readonly operation: StoreOperation
  readonly args: readonly unknown[]
}

/** Supervisor to worker. `ok` false: it could not be done; the worker treats the store as away. */
export interface StoreReply {
  readonly state: 'answer'
  readonly id: number
  readonly ok: boolean
  readonly value: unknown
}

/** Supervisor to worker: a message of a topic. */
export interface StoreEvent {
  readonly state: 'event'
  readonly topic: string
  readonly message: string
}

/** Supervisor to worker: counters that have changed. */
export interface StoreCounts {
  readonly state: 'counts'
  readonly counters: readonly CounterState[]
}

export type StoreMessage = StoreRequest | StoreReply | StoreEvent | StoreCounts

const STATES: ReadonlySet<unknown> = new Set(['ask', 'answer', 'event', 'counts'])

/** Anything else on the channel belongs to others. */
export function isStoreMessage(message: unknown): message is StoreMessage {
  if (typeof message !== 'object' || message === null || !('state' in message)) return false
  return STATES.has(message.state)
}

export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

export function toBytes(text: unknown): Uint8Array {
  return Uint8Array.from(Buffer.from(String(text), 'base64'))
}
