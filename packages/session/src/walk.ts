// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import {
  actsForAnother,
  type EmailAddress,
  type MailboxLocation,
  type Principal,
  type RefusalReason,
} from '@portico/base'
import { isAddress, type Redirection, type RouteQuestion } from '@portico/routing'
import type { LoginAt } from './backend-login.js'
import { discardOnBug, type Opened, openBackend, type ProxyRoute } from './open-backend.js'
import type { Asking, Session } from './session.js'

/** Where a session is to go. */
export type Route =
  | ProxyRoute
  | (Redirection & { readonly location: MailboxLocation })
  | { readonly kind: 'refuse'; readonly reason: RefusalReason }

/**
 * From an authenticated principal to an open mailbox: locate, decide, open, and for a deferred login tell the auth core what the
 * backend said. A backend that refuses somebody whom we had verified ourselves is our fault, not a wrong password.
 */
export async function openMailbox<W>(
  session: Session,
  authenticated: Authenticated,
  login: LoginAt<W>,
): Promise<Opened<W>> {
  const client = { encrypted: session.leg.tls !== undefined }
  const route = await findRoute(session, authenticated.principal, authenticated.deferred ? {} : { client })
  const opened = route.kind === 'proxy' ? await openBackend(session, route, login) : unopened(route, authenticated)
  const refused = opened.kind === 'refused' && opened.reason === 'invalid-credentials'
  if (opened.kind === 'open') await discardOnBug(opened.lease, () => authenticated.settle('accepted'))
  else await authenticated.settle(refused ? 'refused' : 'unknown')
  if (!refused || authenticated.deferred) return opened
  session.services.log.error('the backend refused an identity that was already verified', {
    session: session.id,
    user: authenticated.principal.user,
    backend: session.record.backend,
  })
  return { kind: 'refused', reason: 'backend-unavailable' }
}

/** By what a mailbox is rather reached than by the session's protocol, and who asks: as {@link RouteQuestion} has it. */
export type RouteWish = Pick<RouteQuestion, 'prefer' | 'client'>

/** Locate and decide: where the mailbox of a principal or a recipient is to be reached. */
export async function findRoute(session: Asking, who: Principal | EmailAddress, wish: RouteWish = {}): Promise<Route> {
  const { services, record } = session
  record.begin()
  const answer = await services.locator.locate(who, session.signal)
  record.finish('locate')
  if (answer.kind === 'unavailable') {
    services.log.warn('lookup unavailable', { session: session.id, cause: answer.cause })
    return { kind: 'refuse', reason: 'lookup-unavailable' }
  }
  // Who may act for others learns no more of a mailbox that is not there than of one that is not theirs to open.
  const acts = !isAddress(who) && actsForAnother(who)
  if (answer.kind === 'none') return { kind: 'refuse', reason: acts ? 'unauthorized-identity' : 'no-mailbox' }
  return routeTo(session, answer.location, isAddress(who) ? `${who.local}@${who.domain}` : who.user, wish)
}

/** Decide, for a location that is known. Those of one `spreadKey` come to the same backend while it is well. */
export function routeTo(
  session: Asking,
  location: MailboxLocation,
  spreadKey: string,
  { prefer, client }: RouteWish = {},
): Route {
  const { services, protocol, networks, hops } = session
  const states = services.states()
  const decision = services.router.decide({ location, protocol, networks, states, hops, spreadKey, prefer, client })
  switch (decision.kind) {
    case 'proxy':
      return { kind: 'proxy', location, candidates: decision.candidates }
    case 'redirect':
      return { ...decision, location }
    case 'refuse':
      return decision
  }
}

/** Nothing is proved yet in a deferred login: where somebody's mailbox is must not be told to anybody (RFC 2221 section 6). */
function unopened(route: Exclude<Route, ProxyRoute>, { deferred }: Authenticated): Opened<never> {
  if (route.kind === 'refuse') return { kind: 'refused', reason: route.reason }
  return deferred ? { kind: 'refused', reason: 'backend-unavailable' } : { kind: 'redirect', to: route.to }
}
