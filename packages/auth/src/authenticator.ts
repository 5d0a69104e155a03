// SPDX-License-Identifier: MIT
import type { AuthFailureReason, Cancellation, Principal, ProtocolName, Secret } from '@portico/base'
import type { ChannelFacts } from '@portico/sasl'
import type { HandshakeScheme, HttpScheme } from './access.js'
import type { ClientFacts } from './credential-source.js'

/** The auth core: the one sign-in decision of all protocols, with its throttle, cache and audit. */
export interface Authenticator extends AsyncDisposable {
  /** Names of the SASL mechanisms that can succeed here and now, strongest first. */
  mechanisms(context: AuthContext): readonly string[]
  /** Whether LOGIN and USER/PASS may be tried on this leg. */
  plaintextAllowed(context: AuthContext): boolean
  /** For an attempt of these: why it is refused whatever is shown, with its line in the log; `undefined` when it may be made. */
  refusePlaintext(context: AuthContext): AuthFailureReason | undefined
  /**
   * For what is served without a sign-in: why this client is refused all the same, because encryption is asked for, because of a
   * rule whoever it is and however it would sign in, or because its address has failed too often; `undefined` when it may come.
   */
  refuseStranger(context: AuthContext): Promise<AuthFailed | undefined>
  /** A backend refused such a client, which may have been guessing there: a failure of its address. */
  strangerRefused(context: AuthContext): Promise<void>
  /** The account that a name means which somebody could sign in with; the name itself where it means none that is known. */
  accountOf(name: string): string
  /** Starts a SASL exchange. An unknown or withheld mechanism fails at its first step. */
  begin(mechanism: string, context: AuthContext, signal: Cancellation): Attempt
  /** Whether HTTP's scheme can succeed on this leg: some source serves it, and no rule is against it. */
  schemeAllowed(scheme: HttpScheme, context: AuthContext): boolean
  /** For an attempt by it: why it is refused whatever is shown, with its line in the log; `undefined` when it may be made. */
  refuseScheme(scheme: HttpScheme, context: AuthContext): AuthFailureReason | undefined
  /** One plain login: IMAP LOGIN and POP3 USER/PASS, or one of HTTP's when `scheme` says so. */
  login(
    credentials: { readonly user: string; readonly password: string; readonly scheme?: 'BASIC' | 'FORMS' },
    context: AuthContext,
    signal: Cancellation,
  ): Promise<AuthOutcome>
  /** One bearer token (RFC 6750). A token that has expired fails as `password-expired`, one that allows too little as `unauthorized-identity`. */
  bearer(token: string, context: AuthContext, signal: Cancellation): Promise<AuthOutcome>
  /** Starts a handshake that binds to the connection. An unserved or withheld scheme fails at its first step. */
  handshake(scheme: HandshakeScheme, context: AuthContext, signal: Cancellation): HandshakeAttempt
  /**
   * Somebody whose sign-in was proved before, on this connection or as a sealed cookie tells. Nothing is proved again and the
   * throttle is not asked, but accounts that are gone, disabled, barred from the protocol or have other credentials now, and
   * access rules, are felt. A deferred sign-in stays deferred, and what the backend says then counts for nobody.
   */
  resume(earlier: EarlierSignIn, context: AuthContext, signal: Cancellation): Promise<AuthOutcome>
  /** Whether the principal may act for the mailbox of this name, in any of its spellings: their own, or one that `auth.actingFor` gives them. */
  mayActFor(principal: Principal, mailbox: string): boolean
  /**
   * Whether somebody who has signed in may use this protocol, too, from where they are: the account and the access rules say so, the
   * latter in some way of signing in at least. A source that is away says no. Nothing is logged.
   */
  mayUse(principal: Principal, protocol: ProtocolName, context: AuthContext, signal: Cancellation): Promise<boolean>
}

/** What is kept of a sign-in to go on with it: facts of its {@link Principal}. */
export interface EarlierSignIn
  extends Pick<Principal, 'authcid' | 'user' | 'delegate' | 'mechanism' | 'strength' | 'source' | 'epoch'> {
  /**
   * Has to be kept where the backend wants to see it, and where the source's answer brought the route
   * ({@link Principal.route}): it is asked again with it. A deferred sign-in is nothing without it.
   */
  readonly password?: Secret<string>
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

/** One handshake in progress. Disposed when the connection ends in the middle of it. */
export interface HandshakeAttempt extends AsyncDisposable {
  /** The client's next octets. `last` is for the client along with the outcome (RFC 4559 section 5). */
  step(
    token: Uint8Array,
  ): Promise<
    | { readonly kind: 'challenge'; readonly data: Uint8Array }
    | { readonly kind: 'outcome'; readonly outcome: AuthOutcome; readonly last?: Uint8Array }
  >
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
