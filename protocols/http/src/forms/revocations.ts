// SPDX-License-Identifier: MIT
import { type Clock, NEVER } from '@portico/base'
import type { StateStore, Stored } from '@portico/state'
import type { Ticket } from './ticket.js'

/** What the store said of a sign-in is taken for its answer so long, in milliseconds; what is said by way of the topic holds at once. */
const ASKED_AGAIN_AFTER = 5_000
/** Sign-ins, and users, that are remembered by one process. The oldest goes first, and is asked for again. */
const MOST = 20_000
const TOPIC = 'http-forms:ended'

/** Which sign-ins have ended before their time. Processes and nodes tell each other by way of the store. */
export class Revocations implements Disposable {
  readonly #state: StateStore
  readonly #clock: Clock
  readonly #ended = new Map<string, true>()
  /** By user: sign-ins up to this time have ended, in milliseconds since the epoch. */
  readonly #endedUntil = new Map<string, number>()
  /** Until when a sign-in is known to be good, on the monotonic clock. */
  readonly #good = new Map<string, number>()
  /** By sign-in: what ends with it. */
  readonly #open = new Map<string, Set<Watched>>()
  readonly #subscription: Disposable

  constructor(state: StateStore, clock: Clock) {
    this.#state = state
    this.#clock = clock
    this.#subscription = state.subscribe(TOPIC, (message) => this.#hear(Buffer.from(message).toString()))
  }

  /** Known here to have ended, without a question to anybody. */
  knownEnded({ id, authTime, earlier }: Ticket): boolean {
    return this.#ended.has(id) || authTime <= (this.#endedUntil.get(earlier.user) ?? Number.NEGATIVE_INFINITY)
  }

  /** Whether a sign-in has ended. When the store is away the last that was known holds. */
  async hasEnded(ticket: Ticket): Promise<boolean> {
    if (this.knownEnded(ticket)) return true
    const { id, earlier } = ticket
    if ((this.#good.get(id) ?? 0) > this.#clock.now()) return false
    const [own, all] = await Promise.all([
      this.#state.get(signInKey(id), NEVER),
      this.#state.get(userKey(earlier.user), NEVER),
    ])
    if (own.kind === 'value') this.#endSignIn(id)
    const until = timeIn(all)
    if (until !== undefined) this.#endUntil(earlier.user, until)
    if (this.knownEnded(ticket)) return true
    const answered = own.kind !== 'unavailable' && all.kind !== 'unavailable'
    if (answered) keep(this.#good, id, this.#clock.now() + ASKED_AGAIN_AFTER)
    return false
  }

  /** Calls `end`, once, when this process learns that a sign-in has ended. Disposed of by whoever has no more use for that. */
  whenEnded(ticket: Ticket, end: () => void): Disposable {
    const watched = { ticket, end }
    const others = this.#open.get(ticket.id) ?? new Set()
    this.#open.set(ticket.id, others.add(watched))
    if (this.knownEnded(ticket)) this.#endOpen([watched])
    return { [Symbol.dispose]: () => this.#unwatch(watched) }
  }

  /** Ends a sign-in everywhere. `ttlMs`: no cookie of it can be of use for longer. False: the others could not be told. */
  async end({ id }: Ticket, ttlMs: number): Promise<boolean> {
    this.#endSignIn(id)
    const stored = await this.#state.set(signInKey(id), Uint8Array.of(1), ttlMs, NEVER)
    return (await this.#tell(['sign-in', id])) && stored
  }

  /** The same for all sign-ins of a user up to this time, in milliseconds since the epoch. */
  async endAll(user: string, until: number, ttlMs: number): Promise<boolean> {
    this.#endUntil(user, until)
    const stored = await this.#state.set(userKey(user), Buffer.from(String(until)), ttlMs, NEVER)
    return (await this.#tell(['user', user, until])) && stored
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]()
  }

  #tell(message: readonly [string, ...unknown[]]): Promise<boolean> {
    return this.#state.publish(TOPIC, Buffer.from(JSON.stringify(message)), NEVER)
  }

  #hear(message: string): void {
    const [kind, name, until] = JSON.parse(message) as [string, string, number | undefined]
    if (kind === 'sign-in') this.#endSignIn(name)
    else if (until !== undefined) this.#endUntil(name, until)
  }

  #endSignIn(id: string): void {
    keep(this.#ended, id, true)
    this.#endOpen(this.#open.get(id) ?? [])
  }

  #endUntil(user: string, until: number): void {
    keep(this.#endedUntil, user, Math.max(until, this.#endedUntil.get(user) ?? until))
    const all = [...this.#open.values()].flatMap((some) => [...some])
    this.#endOpen(all.filter(({ ticket }) => ticket.earlier.user === user && this.knownEnded(ticket)))
  }

  #endOpen(some: Iterable<Watched>): void {
    for (const watched of [...some]) {
      this.#unwatch(watched)
      watched.end()
    }
  }

  #unwatch(watched: Watched): void {
    const { id } = watched.ticket
    const others = this.#open.get(id)
    others?.delete(watched)
    if (others?.size === 0) this.#open.delete(id)
  }
}

interface Watched {
  readonly ticket: Ticket
  readonly end: () => void
}

function signInKey(id: string): string {
  return `http-forms:ended:${id}`
}

function userKey(user: string): string {
  return `http-forms:user-ended:${user}`
}

function timeIn(stored: Stored): number | undefined {
  const until = stored.kind === 'value' ? Number(Buffer.from(stored.value).toString()) : Number.NaN
  return Number.isNaN(until) ? undefined : until
}

function keep<T>(map: Map<string, T>, id: string, value: T): void {
  map.delete(id)
  map.set(id, value)
  if (map.size <= MOST) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
