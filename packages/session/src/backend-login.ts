// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import type { BackendError, Cancellation, CancellationSource, FailureReason, MailboxLocation } from '@portico/base'
import type { Lease } from '@portico/pool'
import type { Referral } from '@portico/routing'
import type { Session } from './session.js'

/**
 * The backend would not have this user. `detail` is a code of the protocol that says more than the reason, `alert` are words that
 * the backend wants its user to see.
 */
export interface BackendRefused {
  readonly kind: 'refused'
  readonly reason: FailureReason
  readonly detail?: string
  readonly alert?: string
}

/** Whom to sign in at a prepared backend connection. */
export interface MailboxLogin {
  readonly session: Session
  readonly authenticated: Authenticated
  readonly lease: Lease
  readonly location: MailboxLocation
  readonly signal: Cancellation
}

/** The configuration does not fit this backend: no other candidate would do better. `why` is for the log. */
export function cannotSignIn(
  { session, lease }: MailboxLogin,
  why: string,
  reason: FailureReason = 'backend-unavailable',
): BackendRefused {
  session.services.log.error('cannot sign in at the backend', { session: session.id, backend: lease.backend.id, why })
  return { kind: 'refused', reason }
}

/** What a protocol's login at a backend came to. */
export type BackendLogin<W> =
  | { readonly kind: 'open'; readonly welcome: W }
  /** The backend has spoken and would not have this user; no other candidate is asked. */
  | BackendRefused
  /** Trouble: the next candidate may do better. */
  | { readonly kind: 'failed'; readonly error: BackendError }
  /** The backend would have the user signed in elsewhere. */
  | { readonly kind: 'referred'; readonly to: Pick<Referral, 'host' | 'port'> }

/** The protocol's own login on a borrowed connection; `location` is that of the mailbox, in the group of this backend. */
export type LoginAt<W> = (
  lease: Lease,
  location: MailboxLocation,
  signal: CancellationSource,
) => Promise<BackendLogin<W>>
