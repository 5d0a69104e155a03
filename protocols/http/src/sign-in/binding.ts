// SPDX-License-Identifier: MIT
import type { Authenticated, HandshakeAttempt } from '@portico/auth'
import type { Clock } from '@portico/base'
import type { Scheme } from '../directory/presets.js'
import { RENEWED_AFTER } from './signed-in.js'

/** Who signed in by a handshake on a connection, and by which scheme. */
export interface Bound {
  readonly scheme: Scheme
  readonly outcome: Authenticated
  /** Until then the auth core need not be asked again. */
  readonly until: number
}

/**
 * What Negotiate and NTLM bind to one client connection: a handshake that goes on from request to request, and then its user (RFC 4559
 * section 6). It ends with the connection, and nothing of it is ever known outside.
 */
export class Binding implements AsyncDisposable {
  readonly #clock: Clock
  #running: { readonly scheme: Scheme; readonly attempt: HandshakeAttempt } | undefined
  #bound: Bound | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get bound(): Bound | undefined {
    return this.#bound
  }

  /** The handshake of this scheme that waits for its next octets. */
  running(scheme: Scheme): HandshakeAttempt | undefined {
    return this.#running?.scheme === scheme ? this.#running.attempt : undefined
  }

  /** A new handshake: what was before it is over. */
  async begin(scheme: Scheme, attempt: HandshakeAttempt): Promise<void> {
    await this.forget()
    this.#running = { scheme, attempt }
  }

  /** Signed in, or still so. */
  async bind(scheme: Scheme, outcome: Authenticated): Promise<void> {
    await this.forget()
    this.#bound = { scheme, outcome, until: this.#clock.now() + RENEWED_AFTER }
  }

  async forget(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    this.#bound = undefined
    await running?.attempt[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.forget()
  }
}
