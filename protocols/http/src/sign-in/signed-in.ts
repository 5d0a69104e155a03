// SPDX-License-Identifier: MIT
import type { AuthContext, Authenticated } from '@portico/auth'
import { type Clock, Secret } from '@portico/base'

/**
 * For so many milliseconds what the auth core said is taken for its answer to the same credentials again. A disabled account, a
 * changed password and a throttled address are felt that much later, and by nobody who does not hold the connection already.
 */
export const RENEWED_AFTER = 5_000

interface Remembered {
  readonly authorization: Secret<string>
  /** Behind a proxy of the site one connection carries many clients. */
  readonly peer: string
  readonly outcome: Authenticated
  readonly until: number
}

/**
 * The last good sign-in of a connection. HTTP shows its credentials with each request: to prove them every time would cost more
 * than the request. Only what was proved is remembered, never a refusal, and never what a backend has yet to decide.
 */
export class SignedIn {
  readonly #clock: Clock
  #last: Remembered | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The same client showed the same credentials a moment ago. */
  recall(authorization: string, context: AuthContext): Authenticated | undefined {
    const last = this.#last
    return this.isKnown(authorization, context) && last !== undefined && this.#clock.now() < last.until
      ? last.outcome
      : undefined
  }

  /** They were accepted on this connection before, however long ago: to accept them again is no news. */
  isKnown(authorization: string, context: AuthContext): boolean {
    const last = this.#last
    return last?.peer === context.client.peer.address && last.authorization.expose() === authorization
  }

  remember(authorization: string, context: AuthContext, outcome: Authenticated): void {
    if (outcome.deferred) return
    const peer = context.client.peer.address
    this.#last = {
      authorization: new Secret(authorization),
      peer,
      outcome,
      until: this.#clock.now() + RENEWED_AFTER,
    }
  }

  forget(): void {
    this.#last = undefined
  }
}
