// SPDX-License-Identifier: MIT
import type { AuthFailureReason, Cancellation, Principal } from '@portico/base'
import type { ChannelFacts } from '@portico/sasl'
import type { ClientFacts } from './credential-source.js'

/** The auth core: the one sign-in decision of all protocols, with its throttle, cache and audit. */
export interface Authenticator extends AsyncDisposable {
  /** Names of the SASL mechanisms that can succeed here and now, strongest first. */
  mechanisms(context: AuthContext): readonly string[]
  /** Whether LOGIN, USER/PASS and Basic may be tried on this leg. */
  plaintextAllowed(context: AuthContext): boolean
  /** For an attempt of these: why it is refused whatever is shown, with its line in the log; `undefined` when it may be made. */
  refusePlaintext(context: AuthContext): AuthFailureReason | undefined
  /** Starts a SASL exchange. An unknown or withheld mechanism fails at its first step. */
  begin(mechanism: string, context: AuthContext, signal: Cancellation): Attempt
  /** One plain login: IMAP LOGIN, POP3 USER/PASS, HTTP Basic. `mechanism` is the name for logs. */
  login(
    credentials: { readonly mechanism: string; readonly user: string; readonly password: string },
    context: AuthContext,
    signal: Cancellation,
  ): Promise<AuthOutcome>
}

/** What the protocol knows when it authenticates. */
export interface AuthContext {
  readonly client: ClientFacts
  readonly channel: ChannelFacts
  readonly localName: string
  /** The timestamp of the greeting that a proof answers: with it APOP counts among the mechanisms, without it APOP does not begin. */
  readonly timestamp?: string
  /** `never`: no password on an unencrypted leg (the default); `always`: the site says so for this listener. */
  readonly plaintextPasswords: 'never' | 'loopback' | 'always'
  /** Failed attempts of this session so far. */
  readonly failures: number
  /** The same client showed the same credentials on this connection and was accepted: to accept them again is no news. */
  readonly again?: boolean
}

/** One SASL exchange in progress. Disposed when the session ends in the middle of it. */
export interface Attempt extends AsyncDisposable {
  step(
    response: Uint8Array | undefined,
  ): Promise<{ readonly kind: 'challenge'; readonly data: Uint8Array } | AuthOutcome>
}

export type AuthOutcome = Authenticated | AuthFailed

export interface Authenticated {
  readonly kind: 'authenticated'
  readonly principal: Principal
  /** The backend's answer will be the verdict: nothing was proved yet. */
  readonly deferred: boolean
  /** For a deferred login: what the backend said. Throttle, cache and audit learn from it. Otherwise without effect. */
  settle(verdict: 'accepted' | 'refused' | 'unknown'): Promise<void>
}

export interface AuthFailed {
  readonly kind: 'failed'
  readonly reason: AuthFailureReason
  /** How long the answer has to be held back. The authenticator has not waited. */
  readonly waitMs: number
  /** The name that was tried, for the log; undefined when none was understood. */
  readonly user?: string
}
