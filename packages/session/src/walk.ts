// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import {
  type Backend,
  type BackendError,
  type Cancellation,
  CancellationSource,
  type EmailAddress,
  type FailureReason,
  type MailboxLocation,
  type Principal,
  type RefusalReason,
} from '@portico/base'
import type { Lease } from '@portico/pool'
import { isAddress } from '@portico/routing'
import type { Session } from './session.js'

/** Where a session is to go. */
export type Route =
  | {
      readonly kind: 'proxy'
      readonly location: MailboxLocation
      readonly candidates: readonly [Backend, ...Backend[]]
    }
  | { readonly kind: 'redirect'; readonly location: MailboxLocation; readonly to: string }
  | { readonly kind: 'refuse'; readonly reason: RefusalReason }

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

/** The open backend, or why there is none. */
export type Opened<W> =
  | { readonly kind: 'open'; readonly lease: Lease; readonly welcome: W; readonly location: MailboxLocation }
  | { readonly kind: 'redirect'; readonly to: string }
  | BackendRefused
  /** The client went away meanwhile: nobody is there to be answered. */
  | { readonly kind: 'gone' }

/** Locate and decide: where the mailbox of a principal or a recipient is to be reached. */
export async function findRoute(session: Session, who: Principal | EmailAddress): Promise<Route> {
  const { services, record } = session
  record.begin()
  const answer = await services.locator.locate(who, session.signal)
  record.finish('locate')
  if (answer.kind === 'unavailable') {
    services.log.warn('lookup unavailable', { session: session.id, cause: answer.cause })
    return { kind: 'refuse', reason: 'lookup-unavailable' }
  }
  // Who may act for others learns no more of a mailbox that is not there than of one that is not theirs to open.
  const acts = !isAddress(who) && who.delegate !== undefined
  if (answer.kind === 'none') return { kind: 'refuse', reason: acts ? 'unauthorized-identity' : 'no-mailbox' }
  const decision = services.router.decide({
    location: answer.location,
    protocol: session.protocol,
    networks: session.networks,
    states: services.states(),
    hops: session.hops,
    spreadKey: isAddress(who) ? `${who.local}@${who.domain}` : who.user,
  })
  if (decision.kind === 'refuse') return decision
  return { ...decision, location: answer.location }
}

/**
 * Opens one of the candidates: lease, then the protocol's own login. While the client is unanswered the next candidate is tried;
 * one deadline holds for all. `login` calls `lease.markUsed()` before the first octet that belongs to the user.
 */
export async function openBackend<W>(
  session: Session,
  route: Extract<Route, { kind: 'proxy' }>,
  login: (lease: Lease, signal: CancellationSource) => Promise<BackendLogin<W>>,
): Promise<Opened<W>> {
  const { services, record } = session
  const signal = new CancellationSource()
  const limit = services.wheel.add(services.limits.openBackend, () => signal.abort('deadline'))
  session.signal.onAbort = (reason) => signal.abort(reason)
  record.begin()
  try {
    for (const backend of route.candidates) {
      if (signal.aborted) break
      const opened = await tryBackend(session, route, backend, login, signal)
      if (opened !== undefined) return opened
    }
    return session.signal.aborted ? { kind: 'gone' } : { kind: 'refused', reason: 'backend-unavailable' }
  } finally {
    record.finish('open')
    session.signal.onAbort = undefined
    limit.cancel()
  }
}

async function tryBackend<W>(
  session: Session,
  route: Extract<Route, { kind: 'proxy' }>,
  backend: Backend,
  login: (lease: Lease, signal: CancellationSource) => Promise<BackendLogin<W>>,
  signal: CancellationSource,
): Promise<Opened<W> | undefined> {
  const { services, record } = session
  record.backend = backend.id
  const acquired = await services.pool.acquire(backend, signal)
  if (acquired.kind === 'failed') return failed(session, acquired.error)
  const { lease } = acquired
  lease.leg.setDeadline(services.limits.backendLogin)
  const result = await discardOnBug(lease, () => login(lease, signal))
  if (result.kind === 'open' && !signal.aborted) {
    lease.leg.setDeadline(0)
    return { kind: 'open', lease, welcome: result.welcome, location: route.location }
  }
  lease.discard()
  if (result.kind === 'refused') return result
  if (result.kind === 'failed') return failed(session, result.error)
  return undefined
}

/** Nobody else knows of the lease while this runs: a bug in it must not keep the connection and its place in the pool. */
async function discardOnBug<T>(lease: Lease, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (bug) {
    lease.discard()
    throw bug
  }
}

function failed(session: Session, error: BackendError): undefined {
  if (session.signal.aborted) return undefined
  session.services.log.warn('backend failed', {
    session: session.id,
    backend: error.backend,
    phase: error.phase,
    code: error.code,
    cause: error.cause,
  })
  return undefined
}

/**
 * From an authenticated principal to an open mailbox: locate, decide, open, and for a deferred login tell the auth core what the
 * backend said. A backend that refuses somebody whom we had verified ourselves is our fault, not a wrong password.
 */
export async function openMailbox<W>(
  session: Session,
  authenticated: Authenticated,
  login: (lease: Lease, location: MailboxLocation, signal: CancellationSource) => Promise<BackendLogin<W>>,
): Promise<Opened<W>> {
  const { principal, deferred } = authenticated
  const opened = await openFor(session, authenticated, login)
  const refused = opened.kind === 'refused' && opened.reason === 'invalid-credentials'
  if (opened.kind === 'open') await discardOnBug(opened.lease, () => authenticated.settle('accepted'))
  else await authenticated.settle(refused ? 'refused' : 'unknown')
  if (refused && !deferred) {
    session.services.log.error('the backend refused an identity that was already verified', {
      session: session.id,
      user: principal.user,
      backend: session.record.backend,
    })
    return { kind: 'refused', reason: 'backend-unavailable' }
  }
  return opened
}

async function openFor<W>(
  session: Session,
  { principal, deferred }: Authenticated,
  login: (lease: Lease, location: MailboxLocation, signal: CancellationSource) => Promise<BackendLogin<W>>,
): Promise<Opened<W>> {
  const route = await findRoute(session, principal)
  if (route.kind === 'refuse') return { kind: 'refused', reason: route.reason }
  if (route.kind === 'redirect') {
    // Nothing is proved yet: where somebody's mailbox is must not be told to anybody (RFC 2221 section 6).
    return deferred ? { kind: 'refused', reason: 'backend-unavailable' } : { kind: 'redirect', to: route.to }
  }
  return openBackend(session, route, (lease, signal) => login(lease, route.location, signal))
}
