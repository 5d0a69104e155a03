// SPDX-License-Identifier: MIT
import type { Backend, BackendError, Cancellation, ProtocolName } from '@portico/base'
import type { Leg } from '@portico/net'

/** Lends backend connections. One pool serves every protocol and backend; each protocol brings its driver. */
export interface BackendPool extends AsyncDisposable {
  /** Registers how connections of a protocol are prepared. Once per protocol. */
  register<G>(driver: BackendDriver<G>): void
  /**
   * A connection that is connected, TLS as the backend's policy says, and prepared by the protocol's driver. Never rejects. If
   * the signal fires while it waits, a connection that arrives later goes back unused, or is closed.
   */
  acquire(backend: Backend, signal: Cancellation, request?: LoanRequest): Promise<Acquired>
  /** A connection that lies ready, for whoever needs none that is fresh; at once, and `undefined` where there is none to be had. */
  take(backend: Backend): Lease | undefined
  stats(): readonly PoolStats[]
  /**
   * Nobody new will come: what rests is closed, and nothing is made ready any more. Who is here goes on borrowing, and what has
   * served may serve again.
   */
  cool(): void
}

/** For whom a connection is borrowed, and what may be lent. */
export interface LoanRequest {
  /** Absent: the front end's own errand. */
  readonly borrower?: Borrower
  /** False: where all connections are taken the answer is `busy` at once, because another backend may be free. */
  readonly wait?: boolean
  /** True: only a connection that is opened now, after a kept one turned out to be gone. */
  readonly fresh?: boolean
}

/** A session, as far as a pool knows it: for the PROXY header, and to tell whose failures are whose. */
export interface Borrower {
  readonly id: string
  /** The client's. */
  readonly leg: Pick<Leg, 'facts' | 'tls'>
}

export type Acquired =
  | { readonly kind: 'lease'; readonly lease: Lease }
  | { readonly kind: 'failed'; readonly error: BackendError }

/** A borrowed connection. Disposal discards it, unless release() succeeded. */
export interface Lease extends AsyncDisposable {
  readonly leg: Leg
  readonly backend: Backend
  /**
   * What the driver learnt while preparing: the greeting, capabilities. It is the connection's own from borrower to borrower, so that
   * what was asserted on it may be noted there for `reset` to judge.
   */
  readonly greeting: unknown
  /** Served somebody before (only connections whose driver is `reusable`). */
  readonly reused: boolean
  /** Had been lying ready: its server may be closing it at this moment, so that an end says nothing about the server. */
  readonly kept: boolean
  /** Before the first octet that belongs to a user. After it a connection whose driver is not `reusable` cannot be released. */
  markUsed(): void
  /**
   * Gives it back for somebody else; discards it where that is not provably safe. Nobody has to wait for it: until a reset is
   * confirmed the connection keeps its place and is lent to nobody. `longestRest`: its server would close it after so many
   * milliseconds in which nobody has it; what was said before holds when absent.
   */
  release(longestRest?: number): Promise<void>
  discard(): void
}

/** How a protocol prepares a backend connection and proves that it may be lent again. */
export interface BackendDriver<G = unknown> {
  readonly protocol: ProtocolName
  /**
   * `never`: a used connection belongs to one user for ever (IMAP4, POP3: no command takes an identity back).
   * `per-request`: each request carries its own identity (HTTP), provided the reply was read to its end.
   * `after-reset`: `reset` proves that nothing of the last user is left (SMTP with XCLIENT).
   */
  readonly reuse: 'never' | 'per-request' | 'after-reset'
  /** Whether to prepare connections before anybody asks: worth it where the server greets, and waits long for a sign-in. */
  readonly warm?: boolean
  /** Greeting, capabilities, STARTTLS: all that does not depend on the user. The leg's deadline is already set. */
  prepare(leg: Leg, backend: Backend, signal: Cancellation): Promise<Prepared<G>>
  /** What one is told that is closed while nobody has it, where the protocol demands a word. One octet per character. */
  readonly goodbye?: string
  /** For `after-reset`: true only if the backend confirmed. */
  reset?(leg: Leg, greeting: G, signal: Cancellation): Promise<boolean>
}

export type Prepared<G> =
  | { readonly kind: 'ready'; readonly greeting: G }
  | { readonly kind: 'failed'; readonly error: BackendError }

export interface PoolStats {
  readonly backend: string
  readonly lent: number
  readonly idle: number
  readonly waiting: number
  readonly breaker: 'closed' | 'open' | 'half-open'
}
