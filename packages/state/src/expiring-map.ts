// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'

interface Slot<T> {
  readonly key: string
  readonly value: T
  /** When it is forgotten, by the clock; Infinity keeps it. */
  readonly until: number
}

/** A map that forgets entries when their time comes, and the next to expire when it is full. */
export class ExpiringMap<T> {
  readonly #clock: Clock
  readonly #max: number
  readonly #slots = new Map<string, Slot<T>>()
  /** Min-heap by `until`. Holds slots that were replaced, too; they are dropped when they come up. */
  #heap: Slot<T>[] = []

  constructor(clock: Clock, max: number) {
    this.#clock = clock
    this.#max = max
  }

  get size(): number {
    return this.#slots.size
  }

  get(key: string): T | undefined {
    const slot = this.#slots.get(key)
    if (slot === undefined) return undefined
    if (slot.until > this.#clock.now()) return slot.value
    this.#slots.delete(key)
    return undefined
  }

  /** What has not expired. */
  *entries(): Generator<[string, T]> {
    const now = this.#clock.now()
    for (const { key, value, until } of this.#slots.values()) if (until > now) yield [key, value]
  }

  set(key: string, value: T, until: number): void {
    const slot = { key, value, until }
    this.#slots.set(key, slot)
    this.#push(slot)
    if (this.#heap.length > 2 * this.#slots.size + 64) this.#compact()
    this.#dropExpired()
    while (this.#slots.size > this.#max) this.#dropNext()
  }

  delete(key: string): void {
    this.#slots.delete(key)
  }

  #dropExpired(): void {
    const now = this.#clock.now()
    for (let top = this.#heap[0]; top !== undefined && top.until <= now; top = this.#heap[0]) this.#dropNext()
  }

  #dropNext(): void {
    const slot = this.#pop()
    if (slot !== undefined && this.#slots.get(slot.key) === slot) this.#slots.delete(slot.key)
  }

  #compact(): void {
    this.#heap = [...this.#slots.values()].sort((a, b) => a.until - b.until)
  }

  #push(slot: Slot<T>): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(slot)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || parent.until <= slot.until) break
      heap[at] = parent
      at = above
    }
    heap[at] = slot
  }

  #pop(): Slot<T> | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return top
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      if (left === undefined) break
      const goRight = right !== undefined && right.until < left.until
      const child = goRight ? right : left
      if (child.until >= last.until) break
      heap[at] = child
      at = 2 * at + (goRight ? 2 : 1)
    }
    heap[at] = last
    return top
  }
}
