// SPDX-License-Identifier: MIT
import { hash } from 'node:crypto'
import { type Clock, NEVER } from '@portico/base'
import type { Services } from '@portico/session'
import type { ActiveSyncSettings } from './schema.js'

/** Whose request it is. */
export interface Device {
  readonly user: string
  /** Empty for a device that does not say. */
  readonly id: string
  /** Where from, while nothing is proved: then whoever says to be the user must not use up what is the user's. */
  readonly unprovedFrom: string | undefined
}

/** A request as the gate knows it. */
export interface Visit {
  readonly command: string
  /** Ends the request: its place is needed. */
  readonly end: () => void
}

export type Entered =
  | { readonly kind: 'entered'; readonly leave: () => void }
  /** `busy`: too many at once; `often`: too many in too short a time. */
  | { readonly kind: 'refused'; readonly why: 'busy' | 'often'; readonly waitMs: number }

interface Guest extends Visit {
  readonly since: number
}

/** A Sync may wait for news as Ping does, which its query does not say; one that takes so long, in milliseconds, is taken for one. */
const LONG_SYNC = 60_000
/** When a device that has too many requests open should try again. */
const BUSY_WAIT = 10_000

/** Counts the requests of devices: those in flight in this process, and with all processes how many there were of late. */
export class DeviceGate {
  readonly #state: Services['state']
  readonly #clock: Clock
  readonly #guests = new Map<string, Set<Guest>>()
  readonly #perUser = new Map<string, number>()

  constructor({ state, clock }: Pick<Services, 'state' | 'clock'>) {
    this.#state = state
    this.#clock = clock
  }

  /** `leave` has to be called once, when the request has ended. */
  async enter(device: Device, visit: Visit, settings: ActiveSyncSettings): Promise<Entered> {
    const { device: key, user } = keysOf(device)
    const { requestsPerMinute } = settings
    const limits = { capacity: requestsPerMinute, refillPerSecond: requestsPerMinute / 60 }
    const taken = await this.#state.take(`activesync/${key}`, 1, limits, NEVER)
    if (!taken.allowed) return { kind: 'refused', why: 'often', waitMs: taken.retryAfterMs }
    if ((this.#perUser.get(user) ?? 0) >= settings.userRequestsAtOnce || !this.#makeRoom(key, settings)) {
      return { kind: 'refused', why: 'busy', waitMs: BUSY_WAIT }
    }
    return { kind: 'entered', leave: this.#take(key, user, visit) }
  }

  /** How many devices have a request in flight. */
  get size(): number {
    return this.#guests.size
  }

  #makeRoom(key: string, { requestsAtOnce }: ActiveSyncSettings): boolean {
    const guests = this.#guests.get(key)
    if (guests === undefined || guests.size < requestsAtOnce) return true
    const waiting = this.#waitingOf(guests)
    if (waiting === undefined) return false
    guests.delete(waiting)
    waiting.end()
    return true
  }

  /** The oldest Ping, else the oldest long Sync. Sets keep the order in which they came. */
  #waitingOf(guests: ReadonlySet<Guest>): Guest | undefined {
    const inOrder = [...guests]
    const before = this.#clock.now() - LONG_SYNC
    return (
      inOrder.find(({ command }) => command === 'Ping') ??
      inOrder.find(({ command, since }) => command === 'Sync' && since <= before)
    )
  }

  #take(key: string, user: string, visit: Visit): () => void {
    const guest = { ...visit, since: this.#clock.now() }
    const guests = this.#guests.get(key) ?? new Set()
    this.#guests.set(key, guests.add(guest))
    this.#perUser.set(user, (this.#perUser.get(user) ?? 0) + 1)
    return () => {
      guests.delete(guest)
      if (guests.size === 0 && this.#guests.get(key) === guests) this.#guests.delete(key)
      const left = (this.#perUser.get(user) ?? 0) - 1
      if (left > 0) this.#perUser.set(user, left)
      else this.#perUser.delete(user)
    }
  }
}

/** Names are hashed: what clients write must not grow the keys. */
function keysOf({ user, id, unprovedFrom = '' }: Device): { readonly device: string; readonly user: string } {
  const owner = hash('sha256', `${user.toLowerCase()}\0${unprovedFrom}`, 'base64url')
  return { device: hash('sha256', `${owner}\0${id}`, 'base64url'), user: owner }
}
