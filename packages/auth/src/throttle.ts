// SPDX-License-Identifier: MIT

import { createHmac, hash, randomBytes } from 'node:crypto'
import { type Cancellation, type Clock, NEVER, type Secret } from '@portico/base'
import { clientKey } from '@portico/net'
import type { StateStore } from '@portico/state'
import { createBounded } from './bounded.js'
import type { ClientFacts } from './credential-source.js'
import { InFlight } from './in-flight.js'
import type { AuthSettings } from './settings.js'

const REMEMBERED_SECRETS = 20_000

/** Who tries to sign in as whom. */
export interface Suspect {
  readonly client: ClientFacts
  /** As presented; compared in lower case. */
  readonly user: string
}

/**
 * Whether an attempt is looked at. `failures` goes back into {@link Throttle.succeeded}; `done` is called when the attempt has
 * ended, whatever came of it, after its failure was counted.
 */
export type Admission =
  | { readonly kind: 'admitted'; readonly failures: number; readonly done: () => void }
  | { readonly kind: 'throttled'; readonly waitMs: number }

/**
 * Slows guessing down without locking owners out: failures count for the pair of client address and user, and for the address
 * alone; never for the user alone. It has no lists of its own but asks the state store, so that all processes count together.
 */
export interface Throttle {
  /**
   * Guesses sent at one moment must not all be looked at before the first is counted: while as many attempts of one pair are in
   * flight in this process as may still fail, the next waits for one of them to end.
   */
  admit(suspect: Suspect, signal: Cancellation): Promise<Admission>
  /** A wrong password. Returns how long the answer is to be held back, in milliseconds. */
  failed(suspect: Suspect, password: Secret<string>): Promise<number>
  /**
   * Work was begun for somebody who did not wait for its end, or whom a backend refused without a sign-in here. Counts for the
   * address alone: whoever it was has shown nothing of the user.
   */
  abandoned(suspect: Suspect): Promise<void>
  /** For somebody whose address alone has failed too often: how long to wait, in milliseconds; `undefined` for others. */
  waitOf(client: ClientFacts): Promise<number | undefined>
  /** A name for those who are counted together: an address, or in exempt networks one user there. */
  shareOf(suspect: Suspect): string
  /** Forgets the failures of this pair. */
  succeeded(suspect: Suspect, failures: number): Promise<void>
}

export interface ThrottleOptions {
  readonly settings: Omit<AuthSettings, 'cache'>
  readonly state: StateStore
  readonly clock: Clock
}

/** The throttle over a state store. Wrong passwords are compared by HMAC under a key of this process and never kept. */
export function createThrottle({ settings, state, clock }: ThrottleOptions): Throttle {
  const key = randomBytes(32)
  const inFlight = new InFlight(clock)
  const lastWrong = createBounded<string>({ max: REMEMBERED_SECRETS, ttlMs: settings.window, clock })
  const hmac = (text: string): string => createHmac('sha256', key).update(text).digest('base64url')
  // Counts are asked two at a time, and a session's cancellation has one listener; the store settles on its own.
  const count = (name: string, by: number): Promise<number> => state.increment(name, by, settings.window, NEVER)
  const exempt = ({ client }: Suspect): boolean =>
    client.networks.some((name) => settings.exemptNetworks.includes(name))
  const countBoth = (suspect: Suspect, { pair, address }: Keys, by: number): Promise<[number, number]> =>
    Promise.all([count(pair, by), exempt(suspect) ? 0 : count(address, by)])
  return {
    async admit(suspect, signal) {
      const keys = keysOf(suspect)
      const { pair } = keys
      for (;;) {
        const [failures, address] = await countBoth(suspect, keys, 0)
        const over = failures >= settings.failuresPerUserAndAddress || address >= settings.failuresPerAddress
        if (over || signal.aborted) return { kind: 'throttled', waitMs: settings.delays.at(-1) ?? 0 }
        if (failures + inFlight.count(pair) < settings.failuresPerUserAndAddress) {
          return { kind: 'admitted', failures: Math.max(0, failures), done: inFlight.enter(pair) }
        }
        await inFlight.oneEnds(pair, signal)
      }
    },
    async failed(suspect, password) {
      const keys = keysOf(suspect)
      const { pair } = keys
      const wrong = hmac(`${pair}\0${password.expose()}`)
      // A device that keeps asking with a password from before its change is no guesser: it counts once.
      const repeated = lastWrong.get(pair) === wrong
      lastWrong.set(pair, wrong)
      const [pairFailures, addressFailures] = await countBoth(suspect, keys, repeated ? 0 : 1)
      return delayOf(settings.delays, Math.max(pairFailures, addressFailures - settings.addressGrace))
    },
    async abandoned(suspect) {
      if (!exempt(suspect)) await count(keysOf(suspect).address, 1)
    },
    async waitOf(client) {
      const suspect = { client, user: '' }
      if (exempt(suspect)) return undefined
      const failures = await count(keysOf(suspect).address, 0)
      return failures >= settings.failuresPerAddress ? (settings.delays.at(-1) ?? 0) : undefined
    },
    shareOf(suspect) {
      const { pair, address } = keysOf(suspect)
      return exempt(suspect) ? pair : address
    },
    async succeeded(suspect, failures) {
      if (failures === 0) return
      const { pair } = keysOf(suspect)
      lastWrong.delete(pair)
      await count(pair, -failures)
    },
  }
}

function delayOf(delays: readonly number[], failures: number): number {
  return failures < 1 ? 0 : (delays[Math.min(failures, delays.length) - 1] ?? 0)
}

interface Keys {
  readonly pair: string
  readonly address: string
}

/** User names are hashed because a key has at most 512 octets. */
function keysOf({ client, user }: Suspect): Keys {
  const block = clientKey(client.peer)
  const name = hash('sha256', user.toLowerCase(), 'base64url')
  return { pair: `auth/${block}/${name}`, address: `auth/${block}` }
}
