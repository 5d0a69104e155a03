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
import { isAddress, type Referral } from '@portico/routing'
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
  /** The backend would have the user signed in elsewhere. */
  | { readonly kind: 'referred'; readonly to: Pick<Referral, 'host' | 'port'> }

/** The protocol's own login on a borrowed connection; `location` is that of the mailbox, in the group of this backend. */
export type LoginAt<W> = (
  lease: Lease,
  location: MailboxLocation,
  signal: CancellationSource,
) => Promise<BackendLogin<W>>

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

/** A backend that is to be asked. */
interface Candidate {
  readonly backend: Backend
  readonly location: MailboxLocation
}

/**
 * Opens one of the candidates: lease, then the protocol's own login. While the client is unanswered the next candidate is tried,
 * whatever became of the one before: to sign in twice does no harm, only a refusal ends it. A redirection is followed to a
 * configured backend that has not been asked yet. One deadline holds for all. `login` calls `lease.markUsed()` before the first
 * octet that belongs to the user.
 */
export async function openBackend<W>(
  session: Session,
  route: Extract<Route, { kind: 'proxy' }>,
  login: LoginAt<W>,
): Promise<Opened<W>> {
  const { services, record, hops } = session
  const signal = new CancellationSource()
  const limit = services.wheel.add(services.limits.openBackend, () => signal.abort('deadline'))
  session.signal.onAbort = (reason) => signal.abort(reason)
  record.begin()
  const asked = new Set<string>()
  const candidates = route.candidates.map((backend): Candidate => ({ backend, location: route.location }))
  try {
    for (let next = candidates.shift(); next !== undefined && !signal.aborted; next = candidates.shift()) {
      if (asked.has(next.backend.id)) continue
      asked.add(next.backend.id)
      const tried = await tryBackend(session, next, candidates.length === 0, login, signal)
      if (tried?.kind !== 'referred') {
        if (tried !== undefined) return tried
        continue
      }
      session.hops += 1
      const elsewhere = follow(session, next, tried.to, asked)
      if (elsewhere !== undefined) candidates.unshift(elsewhere)
    }
    return session.signal.aborted ? { kind: 'gone' } : { kind: 'refused', reason: 'backend-unavailable' }
  } finally {
    record.finish('open')
    session.hops = hops
    session.signal.onAbort = undefined
    limit.cancel()
  }
}

/**
 * Where a redirection leads, if it may be followed and nobody has been there. What a lookup said of the one group does not hold
 * in another.
 */
function follow(
  session: Session,
  from: Candidate,
  to: Pick<Referral, 'host' | 'port'>,
  asked: ReadonlySet<string>,
): Candidate | undefined {
  const { services, protocol, hops } = session
  const { group } = from.backend
  const decision = services.router.follow({ ...to, protocol, group, states: services.states(), hops })
  const known = decision.kind === 'proxy' ? decision.candidates[0] : undefined
  const backend = known === undefined || asked.has(known.id) ? undefined : known
  services.log.info(backend === undefined ? 'redirection not followed' : 'redirection followed', {
    session: session.id,
    backend: from.backend.id,
    ...(backend === undefined ? to : { to: backend.id }),
  })
  if (backend === undefined) return undefined
  const { source, backendUser } = from.location
  const user = backendUser === undefined ? {} : { backendUser }
  return { backend, location: backend.group === group ? from.location : { group: backend.group, source, ...user } }
}

type Tried<W> = Opened<W> | Extract<BackendLogin<W>, { kind: 'referred' }> | undefined

async function tryBackend<W>(
  session: Session,
  candidate: Candidate,
  last: boolean,
  login: LoginAt<W>,
  signal: CancellationSource,
): Promise<Tried<W>> {
  const { backend } = candidate
  session.record.backend = backend.id
  const acquired = await session.services.pool.acquire(backend, signal, { borrower: session, wait: last })
  if (acquired.kind === 'failed') return failed(session, acquired.error)
  const first = await loginOn(session, candidate, acquired.lease, login, signal)
  if (first !== 'stale' || signal.aborted) return first === 'stale' ? undefined : first
  const fresh = await session.services.pool.acquire(backend, signal, { borrower: session, fresh: true })
  if (fresh.kind === 'failed') return failed(session, fresh.error)
  const second = await loginOn(session, candidate, fresh.lease, login, signal)
  return second === 'stale' ? undefined : second
}

/** `stale`: the connection had been lying ready, and its server ended it instead of answering. */
async function loginOn<W>(
  session: Session,
  { location }: Candidate,
  lease: Lease,
  login: LoginAt<W>,
  signal: CancellationSource,
): Promise<Tried<W> | 'stale'> {
  lease.leg.setDeadline(session.services.limits.backendLogin)
  const result = await discardOnBug(lease, () => login(lease, location, signal))
  if (result.kind === 'open' && !signal.aborted) {
    lease.leg.setDeadline(0)
    return { kind: 'open', lease, welcome: result.welcome, location }
  }
  lease.discard()
  if (result.kind === 'refused' || result.kind === 'referred') return result
  if (result.kind !== 'failed') return undefined
  const ended = result.error.code === 'closed' || result.error.code === 'reset'
  return lease.kept && ended ? 'stale' : failed(session, result.error)
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
  login: LoginAt<W>,
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
  login: LoginAt<W>,
): Promise<Opened<W>> {
  const route = await findRoute(session, principal)
  if (route.kind === 'refuse') return { kind: 'refused', reason: route.reason }
  if (route.kind === 'redirect') {
    // Nothing is proved yet: where somebody's mailbox is must not be told to anybody (RFC 2221 section 6).
    return deferred ? { kind: 'refused', reason: 'backend-unavailable' } : { kind: 'redirect', to: route.to }
  }
  return openBackend(session, route, login)
}
