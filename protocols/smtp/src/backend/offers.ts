// SPDX-License-Identifier: MIT
import { type Backend, NEVER } from '@portico/base'
import type { Services } from '@portico/session'
import type { Extensions, SmtpGreeting } from './greeting.js'

/** Extensions that depend on the backends: we can offer them only where whoever may get the message has them. */
const THEIRS = ['8BITMIME', 'BINARYMIME', 'CHUNKING', 'DSN', 'MT-PRIORITY', 'REQUIRETLS', 'SMTPUTF8'] as const

/** How long what was heard counts, milliseconds. */
const FRESH_MS = 300_000
/** How long a backend that could not be asked is left alone. */
const AWAY_MS = 30_000
/** How long a client waits for backends that have not been heard of. */
const WAIT_MS = 1_000
/** Backends that are remembered at most: lookups may name any number of them. */
const MANY = 1_024

/** What asking needs of the services. */
export type AskingServices = Pick<Services, 'pool' | 'clock' | 'wheel'>

interface Entry {
  /** Undefined: not heard, or away. */
  offered: ReadonlySet<string> | undefined
  /** When it was heard, or found to be away; undefined when that has not been looked at yet. */
  at: number | undefined
  asking: { readonly answered: Promise<void>; readonly since: number } | undefined
}

/**
 * What backends offer. It learns from each connection that is prepared, and asks backends that it has not heard of; what it knows is
 * refreshed while clients go on with what was heard before.
 */
export class Offers {
  readonly #entries = new Map<string, Entry>()

  /** Backends that are remembered. */
  get size(): number {
    return this.#entries.size
  }

  /** A connection to the backend has been prepared. */
  learn(backend: string, extensions: Extensions): void {
    const entry = this.#entries.get(backend) ?? this.#enter(backend)
    if (entry === undefined) return
    entry.offered = new Set(THEIRS.filter((keyword) => extensions.has(keyword)))
    entry.at = undefined
  }

  /**
   * The extensions that all of these backends have; one that is away does not count, and where none is there nothing is offered. A
   * promise only where a backend has never been asked: it is then waited for, a second at most.
   */
  of(backends: readonly Backend[], services: AskingServices): ReadonlySet<string> | Promise<ReadonlySet<string>> {
    const now = services.clock.now()
    const unheard: Promise<void>[] = []
    let left = 0
    for (const backend of backends) {
      const entry = this.#entries.get(backend.id) ?? this.#enter(backend.id) ?? this.#replaceOldest(backend.id)
      if (isDue(entry, now)) this.#ask(backend, entry, services, now)
      if (entry.asking === undefined || isKnown(entry) || now >= entry.asking.since + WAIT_MS) continue
      unheard.push(entry.asking.answered)
      left = Math.max(left, entry.asking.since + WAIT_MS - now)
    }
    if (unheard.length === 0) return this.#common(backends)
    return new Promise((resolve) => {
      const limit = services.wheel.add(left, () => resolve(this.#common(backends)))
      void Promise.all(unheard).then(() => {
        limit.cancel()
        resolve(this.#common(backends))
      })
    })
  }

  #common(backends: readonly Backend[]): ReadonlySet<string> {
    return commonOf(backends.map(({ id }) => this.#entries.get(id)?.offered))
  }

  #enter(backend: string): Entry | undefined {
    if (this.#entries.size >= MANY) return undefined
    const entry: Entry = { offered: undefined, at: undefined, asking: undefined }
    this.#entries.set(backend, entry)
    return entry
  }

  #replaceOldest(backend: string): Entry {
    const [oldest = ''] = this.#entries.keys()
    this.#entries.delete(oldest)
    return this.#enter(backend) as Entry
  }

  /** An errand of our own: a connection is borrowed for nobody and given back unused, so that it is ready for who comes next. */
  #ask(backend: Backend, entry: Entry, { pool, clock }: AskingServices, now: number): void {
    const ask = async () => {
      const acquired = await pool.acquire(backend, NEVER, { wait: false })
      if (acquired.kind === 'lease') {
        this.learn(backend.id, (acquired.lease.greeting as SmtpGreeting).extensions)
        await acquired.lease.release()
      } else if (acquired.error.code !== 'busy') entry.offered = undefined
      entry.at = clock.now()
      entry.asking = undefined
    }
    entry.asking = { answered: ask(), since: now }
  }
}

function isKnown(entry: Entry): boolean {
  return entry.offered !== undefined || entry.at !== undefined
}

/** Whether a backend is to be asked now. What was just learnt is taken note of. */
function isDue(entry: Entry, now: number): boolean {
  if (entry.asking !== undefined) return false
  if (entry.offered !== undefined) entry.at ??= now
  return entry.at === undefined || now >= entry.at + (entry.offered === undefined ? AWAY_MS : FRESH_MS)
}

/** What all have in common who are there; nothing where nobody is. */
export function commonOf(offered: readonly (ReadonlySet<string> | undefined)[]): ReadonlySet<string> {
  const [first, ...more] = offered.filter((each) => each !== undefined)
  return new Set([...(first ?? [])].filter((keyword) => more.every((each) => each.has(keyword))))
}

/** The backends that may get a message which goes where its recipients are: a group's LMTP endpoints if it has any, else the SMTP ones. */
export function deliveryBackends({ backendsOf }: Pick<Services, 'backendsOf'>): readonly Backend[] {
  const lmtp = backendsOf('lmtp')
  const delivered = new Set(lmtp.map(({ group }) => group))
  return [...lmtp, ...backendsOf('smtp').filter(({ group }) => !delivered.has(group))]
}
