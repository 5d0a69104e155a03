// SPDX-License-Identifier: MIT
import type { Clock, Timer } from '@portico/base'
import type { IdleTimer, TimerWheel } from './timer-wheel.js'

const TICK_MS = 100
/** One turn is 51.2 s; a longer wait is looked at once a turn. */
const SLOTS = 512

/** Makes a wheel of 100 ms ticks that is driven by `clock`. With no entry its one timer does not run. */
export function createTimerWheel(clock: Clock): TimerWheel {
  return new Wheel(clock)
}

class Entry implements IdleTimer {
  readonly wheel: Wheel
  readonly ms: number
  readonly fire: () => void
  /** When it is due; for an idle entry when to look again. */
  due: number
  /** Wheel time of the last touch: at most one tick before the real time of it. */
  touched: number
  readonly idle: boolean
  /** Its slot while it waits, and its neighbours there: a list costs less than a set, whose members have to be hashed. */
  slot: Slot | undefined
  before: Entry | undefined
  after: Entry | undefined

  constructor(wheel: Wheel, ms: number, fire: () => void, due: number, idle: boolean) {
    this.wheel = wheel
    this.ms = ms
    this.fire = fire
    this.due = due
    this.touched = due - ms - TICK_MS
    this.idle = idle
  }

  touch(): void {
    this.touched = this.wheel.now
  }

  cancel(): void {
    this.wheel.remove(this)
  }
}

/** The entries of one tick of each turn. */
class Slot {
  first: Entry | undefined

  add(entry: Entry): void {
    const { first } = this
    if (first !== undefined) first.before = entry
    entry.after = first
    entry.slot = this
    this.first = entry
  }

  remove(entry: Entry): void {
    const { before, after } = entry
    if (before === undefined) this.first = after
    else before.after = after
    if (after !== undefined) after.before = before
    entry.before = undefined
    entry.after = undefined
    entry.slot = undefined
  }

  /** Those that are there now: entries may come and go meanwhile. */
  all(): readonly Entry[] {
    const entries: Entry[] = []
    for (let entry = this.first; entry !== undefined; entry = entry.after) entries.push(entry)
    return entries
  }
}

class Wheel implements TimerWheel {
  now: number
  size = 0
  readonly #clock: Clock
  readonly #start: number
  readonly #slots: readonly Slot[] = Array.from({ length: SLOTS }, () => new Slot())
  /** Number of the last tick whose slot was looked at. */
  #tick = 0
  #timer: Timer | undefined
  readonly #turn = () => this.#advance()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#start = clock.now()
    this.now = this.#start
  }

  add(ms: number, fire: () => void): Timer {
    return this.#insert(ms, fire, false)
  }

  addIdle(ms: number, fire: () => void): IdleTimer {
    return this.#insert(ms, fire, true)
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const slot of this.#slots) for (const entry of slot.all()) slot.remove(entry)
    this.size = 0
  }

  remove(entry: Entry): void {
    if (entry.slot === undefined) return
    entry.slot.remove(entry)
    this.size -= 1
    if (this.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #insert(ms: number, fire: () => void, idle: boolean): Entry {
    const now = this.#clock.now()
    const entry = new Entry(this, ms, fire, now + ms, idle)
    if (this.#timer === undefined) this.#wake(now)
    this.size += 1
    this.#place(entry)
    return entry
  }

  #wake(now: number): void {
    this.now = now
    this.#tick = Math.floor((now - this.#start) / TICK_MS)
    this.#arm(now)
  }

  /** For the moment at which the next tick begins, so that lateness does not add up. */
  #arm(now: number): void {
    const next = this.#start + (this.#tick + 1) * TICK_MS
    this.#timer = this.#clock.after(Math.max(1, next - now), this.#turn)
  }

  /** The slot of the first tick at or after the due time, but never one that has been looked at. */
  #place(entry: Entry): void {
    const tick = Math.max(Math.ceil((entry.due - this.#start) / TICK_MS), this.#tick + 1)
    this.#slots[tick % SLOTS]?.add(entry)
  }

  #advance(): void {
    this.#timer = undefined
    const before = this.now
    const now = this.#clock.now()
    if (now - before > 3 * TICK_MS) this.#forgive(before, now)
    this.now = now
    const last = Math.floor((now - this.#start) / TICK_MS)
    const first = Math.max(this.#tick + 1, last - SLOTS + 1)
    this.#tick = last
    for (let tick = first; tick <= last; tick += 1) this.#look(this.#slots[tick % SLOTS])
    // An entry added by one that fired has armed it already.
    if (this.size > 0 && this.#timer === undefined) this.#arm(now)
  }

  /** The process was held up: what was touched meanwhile carries the time of before, and would be called idle too early. */
  #forgive(before: number, now: number): void {
    for (const slot of this.#slots) {
      for (const entry of slot.all()) {
        if (entry.idle && entry.touched === before) entry.touched = now - TICK_MS
      }
    }
  }

  #look(slot: Slot | undefined): void {
    if (slot?.first === undefined) return
    // In the order in which they were added.
    for (const entry of slot.all().toReversed()) {
      // One that was taken out by another before it has no slot any more.
      if (entry.slot !== slot || entry.due > this.now) continue
      slot.remove(entry)
      // A touch carries the time of the last tick, so the octet may have come up to one tick later.
      const until = entry.touched + entry.ms + TICK_MS
      if (entry.idle && until > this.now) {
        entry.due = until
        this.#place(entry)
      } else {
        this.size -= 1
        entry.fire()
      }
    }
  }
}
