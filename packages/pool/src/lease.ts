// SPDX-License-Identifier: MIT
import type { Backend } from '@portico/base'
import type { Leg } from '@portico/net'
import type { Lease } from './backend-pool.js'
import type { Connection } from './connection.js'

/** Where a lease ends. Exactly one of the two is called, once. */
export interface Lender {
  /** Decides whether the connection may be lent again, and closes it otherwise. */
  takeBack(connection: Connection, used: boolean): Promise<void>
  close(connection: Connection): void
}

/** One loan of a connection. */
export class ConnectionLease implements Lease {
  readonly backend: Backend
  readonly reused: boolean
  readonly kept: boolean
  readonly #connection: Connection
  readonly #lender: Lender
  #used = false
  #over = false

  constructor(backend: Backend, connection: Connection, lender: Lender) {
    this.backend = backend
    this.reused = connection.served
    this.kept = connection.rested
    this.#connection = connection
    this.#lender = lender
  }

  get leg(): Leg {
    return this.#connection.leg
  }

  get greeting(): unknown {
    return this.#connection.greeting
  }

  markUsed(): void {
    this.#used = true
  }

  async release(longestRest?: number): Promise<void> {
    if (this.#over) return
    this.#over = true
    if (longestRest !== undefined) this.#connection.longestRest = longestRest
    await this.#lender.takeBack(this.#connection, this.#used)
  }

  discard(): void {
    if (this.#over) return
    this.#over = true
    this.#lender.close(this.#connection)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.discard()
  }
}
