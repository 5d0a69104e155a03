// SPDX-License-Identifier: MIT
import { type Backend, type BackendError, CancellationSource, type MailboxLocation } from '@portico/base'
import type { Lease, LoanRequest } from '@portico/pool'
import type { BackendLogin, BackendRefused, LoginAt } from './backend-login.js'
import { type Candidate, follow } from './follow.js'
import type { Session } from './session.js'

/** Where a mailbox is, and the backends that may open it, the wanted ones first. */
export interface ProxyRoute {
  readonly kind: 'proxy'
  readonly location: MailboxLocation
  readonly candidates: readonly [Backend, ...Backend[]]
}

/** The open backend, or why there is none. */
export type Opened<W> =
  | { readonly kind: 'open'; readonly lease: Lease; readonly welcome: W; readonly location: MailboxLocation }
  | { readonly kind: 'redirect'; readonly to: string }
  | BackendRefused
  /** The client went away meanwhile: nobody is there to be answered. */
  | { readonly kind: 'gone' }

/**
 * Opens one of the candidates: lease, then the protocol's own login. While the client is unanswered the next candidate is tried,
 * whatever became of the one before: to sign in twice does no harm, only a refusal ends it. A redirection is followed to a
 * configured backend that has not been asked yet. One deadline holds for all. `login` calls `lease.markUsed()` before the first
 * octet that belongs to the user. With `fresh` no connection is lent that has served before.
 */
export async function openBackend<W>(
  session: Session,
  route: ProxyRoute,
  login: LoginAt<W>,
  { fresh = false }: { readonly fresh?: boolean } = {},
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
      const tried = await tryBackend(session, next, { wait: candidates.length === 0, fresh }, login, signal)
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
 * The wanted backend, where a connection to it lies ready and nothing has to be said before it can be used: the way of most requests
 * of a protocol that carries the identity in each. `undefined`: it is for {@link openBackend}.
 */
export function takeOpen(session: Session, { location, candidates }: ProxyRoute): Opened<undefined> | undefined {
  const [backend] = candidates
  const lease = session.signal.aborted ? undefined : session.services.pool.take(backend)
  if (lease === undefined) return undefined
  session.record.backend = backend.id
  return { kind: 'open', lease, welcome: undefined, location }
}

type Tried<W> = Opened<W> | Extract<BackendLogin<W>, { kind: 'referred' }> | undefined

type Loan = Required<Pick<LoanRequest, 'wait' | 'fresh'>>

/** A kept connection that its server ended costs one more try, on a fresh one. */
async function tryBackend<W>(
  session: Session,
  candidate: Candidate,
  loan: Loan,
  login: LoginAt<W>,
  signal: CancellationSource,
): Promise<Tried<W>> {
  session.record.backend = candidate.backend.id
  const first = await tryOnce(session, candidate, loan, login, signal)
  if (first !== 'stale') return first
  if (signal.aborted) return undefined
  const second = await tryOnce(session, candidate, { ...loan, fresh: true }, login, signal)
  return second === 'stale' ? undefined : second
}

async function tryOnce<W>(
  session: Session,
  candidate: Candidate,
  loan: Loan,
  login: LoginAt<W>,
  signal: CancellationSource,
): Promise<Tried<W> | 'stale'> {
  const request = { wait: loan.wait, fresh: loan.fresh, borrower: session }
  const acquired = await session.services.pool.acquire(candidate.backend, signal, request)
  if (acquired.kind === 'failed') return failed(session, acquired.error)
  return loginOn(session, candidate, acquired.lease, login, signal)
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
export async function discardOnBug<T>(lease: Lease, run: () => Promise<T>): Promise<T> {
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
