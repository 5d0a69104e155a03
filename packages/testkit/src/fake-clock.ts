// SPDX-License-Identifier: MIT
import type { Clock, Timer } from '@portico/base'

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves time by `ms`: fires what falls due in the order of its times, and lets microtasks, immediates and socket events run
   * in between, so that what a timer started can start further timers within the same stretch.
   */
  advance(ms: number): Promise<void>
  /** Timers that have neither fired nor been cancelled. */
  readonly pending: number
}

interface Entry {
  readonly at: number
  readonly order: number
  readonly fire: () => void
}

/** Starts at `now() === 0`, and at 2026-01-01T00:00:00Z on the wall unless `wall` (milliseconds since the epoch) is given. */
export function createFakeClock(options: { readonly wall?: number } = {}): FakeClock {
  const wall = options.wall ?? Date.UTC(2026, 0, 1)
  const entries = new Set<Entry>()
  let now = 0
  let order = 0
  return {
    now: () => now,
    wallNow: () => wall + now,
    after: (ms, fire): Timer => {
      const entry: Entry = { at: now + Math.max(0, ms), order: order++, fire }
      entries.add(entry)
      return { cancel: () => void entries.delete(entry) }
    },
    get pending() {
      return entries.size
    },
    async advance(ms) {
      const until = now + ms
      await turns(3)
      for (let entry = earliest(entries, until); entry !== undefined; entry = earliest(entries, until)) {
        entries.delete(entry)
        now = Math.max(now, entry.at)
        entry.fire()
        await turns(1)
      }
      now = until
      await turns(3)
    },
  }
}

function earliest(entries: ReadonlySet<Entry>, until: number): Entry | undefined {
  let best: Entry | undefined
  for (const entry of entries) {
    if (entry.at > until) continue
    if (best === undefined || entry.at < best.at || (entry.at === best.at && entry.order < best.order)) best = entry
  }
  return best
}

/** Lets the event loop go round so many times: microtasks, ready sockets, immediates. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}
