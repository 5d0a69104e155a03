// SPDX-License-Identifier: MIT
import { type Backend, BackendError, type BackendErrorCode, CancellationSource } from '@portico/base'
import { clientKey } from '@portico/net'
import type { BackendDriver, Borrower, PoolStats } from './backend-pool.js'
import { Breaker } from './breaker.js'
import { type Connection, type Dud, openConnection } from './connection.js'
import type { BackendPoolOptions } from './options.js'

const BREAKER_FAILURES = 5
const BREAKER_CLIENTS = 2
const BREAKER_MS = 2_000

/** The front end as a client of its backends, beside all others. */
const OURSELVES = ''

/** Opens the connections to one backend, as far as its breaker lets it. */
export class Opener {
  readonly #backend: Backend
  readonly #driver: BackendDriver
  readonly #options: BackendPoolOptions
  readonly #breaker: Breaker
  readonly #opening = new Set<CancellationSource>()

  constructor(backend: Backend, driver: BackendDriver, options: BackendPoolOptions) {
    const { clock, limits, random } = options
    this.#backend = backend
    this.#driver = driver
    this.#options = options
    const rule = {
      failures: limits.breakerFailures ?? BREAKER_FAILURES,
      clients: limits.breakerClients ?? BREAKER_CLIENTS,
      firstMs: limits.breakerMs ?? BREAKER_MS,
      knowsClient: backend.proxyProtocol !== undefined,
    }
    this.#breaker = new Breaker(clock, rule, random ?? Math.random)
  }

  /** Connections that are being opened, and that somebody may still want. */
  get opening(): number {
    return this.#opening.size
  }

  get state(): PoolStats['breaker'] {
    return this.#breaker.state
  }

  /** Nothing is held against the backend, and nothing is under way. */
  get quiet(): boolean {
    return this.#breaker.quiet && this.#opening.size === 0
  }

  /** Answers at once when the breaker is open. Aborting `stop` gives up. */
  async open(stop = new CancellationSource(), borrower?: Borrower): Promise<Connection | Dud> {
    if (!this.#breaker.admit()) return { error: this.error('breaker-open') }
    this.#opening.add(stop)
    const opened = await openConnection(this.#backend, this.#driver, this.#options, stop, borrower)
    this.#opening.delete(stop)
    const error = 'error' in opened ? opened.error : undefined
    this.#watched(error, () => this.#breaker.settle(error))
    return opened
  }

  /** Somebody was given an error of ours: it counts as theirs. */
  seen(error: BackendError, borrower: Borrower | undefined): void {
    this.#watched(error, () => this.#breaker.seen(error, clientOf(borrower)))
  }

  /** Stops the youngest so many. */
  giveUp(count: number): void {
    if (count <= 0) return
    for (const opening of [...this.#opening].slice(-count)) {
      this.#opening.delete(opening)
      opening.abort('closed')
    }
  }

  shut(): void {
    for (const opening of this.#opening) opening.abort('draining')
  }

  error(code: BackendErrorCode): BackendError {
    return new BackendError({ code, backend: this.#backend.id, phase: 'acquire' })
  }

  #watched(error: BackendError | undefined, change: () => void): void {
    const before = this.#breaker.state
    change()
    const after = this.#breaker.state
    if (before === after) return
    const facts = { backend: this.#backend.id, breaker: after, ...(error === undefined ? {} : { code: error.code }) }
    if (after === 'open') this.#options.log.warn('backend cannot be reached', facts)
    else if (after === 'closed') this.#options.log.info('backend can be reached again', facts)
  }
}

function clientOf(borrower: Borrower | undefined): string {
  return borrower === undefined ? OURSELVES : clientKey(borrower.leg.facts.peer)
}
