// SPDX-License-Identifier: MIT
import { type Backend, type BackendErrorCode, type Cancellation, CancellationSource } from '@portico/base'
import type { Acquired, BackendDriver, LoanRequest, PoolStats } from './backend-pool.js'
import type { Connection } from './connection.js'
import { ConnectionLease, type Lender } from './lease.js'
import { Opener } from './opener.js'
import type { BackendPoolOptions } from './options.js'
import type { Places } from './places.js'

/**
 * The connections to a backend that is told the client by a PROXY header: each is its borrower's from the first octet, so none is
 * prepared before and none is lent twice.
 */
export class BoundShelf implements Lender {
  readonly #backend: Backend
  readonly #waitMs: number
  readonly #places: Places
  readonly #opener: Opener
  #closed = false

  constructor(backend: Backend, driver: BackendDriver, options: BackendPoolOptions, places: Places) {
    this.#backend = backend
    this.#waitMs = backend.pool?.waitMs ?? options.limits.acquireMs
    this.#places = places
    this.#opener = new Opener(backend, driver, options)
  }

  get stats(): PoolStats {
    const { taken: lent, waiting } = this.#places
    return { backend: this.#backend.id, lent, idle: 0, waiting, breaker: this.#opener.state }
  }

  get quiet(): boolean {
    return this.#places.taken === 0 && this.#opener.quiet
  }

  /** Nothing of it is ever kept. */
  take(): undefined {
    return undefined
  }

  async acquire(signal: Cancellation, { wait, borrower }: LoanRequest): Promise<Acquired> {
    const place = await this.#places.take(wait === false ? 0 : this.#waitMs, signal)
    if (place !== 'taken') return this.#failed(place)
    this.#places.makeRoom()
    const stop = new CancellationSource()
    signal.onAbort = (reason) => stop.abort(reason)
    const opened = await this.#opener.open(stop, borrower)
    signal.onAbort = undefined
    if ('error' in opened) {
      this.#places.free()
      if (!signal.aborted) this.#opener.seen(opened.error, borrower)
      return { kind: 'failed', error: opened.error }
    }
    if (!this.#closed && !signal.aborted) {
      return { kind: 'lease', lease: new ConnectionLease(this.#backend, opened, this) }
    }
    this.close(opened)
    return this.#failed('cancelled')
  }

  async takeBack(connection: Connection): Promise<void> {
    this.close(connection)
  }

  close(connection: Connection): void {
    connection.leg.destroy()
    this.#places.free()
  }

  /** Nothing rests here. */
  cool(): void {}

  shut(): void {
    this.#closed = true
    this.#opener.shut()
  }

  #failed(code: BackendErrorCode): Acquired {
    return { kind: 'failed', error: this.#opener.error(code) }
  }
}
