// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import type { Backend, FailureReason, MailboxLocation } from '@portico/base'
import {
  findRoute,
  type LoginAt,
  type Opened,
  openBackend,
  openMailbox,
  type Route,
  type RouteWish,
  remainingHops,
  routeTo,
  type Session,
} from '@portico/session'
import type { Mailbox } from '../address.js'
import { loginAtBackend } from '../backend/login.js'
import type { BackendSession } from '../backend/session.js'
import type { Dialogue } from '../dialogue.js'
import { sharedOf } from '../shared.js'
import { calledBy } from '../telephony/gateways.js'

/** A route that may be taken, and a key by which it is the same as another one. */
export interface Way {
  readonly key: string
  readonly route: Extract<Route, { kind: 'proxy' }>
  /** To a gateway to telephones, which may call whatever it reads in an address: nobody else is asked for there. */
  readonly forCalls?: true
}

/** Mailboxes are rather reached by LMTP than by SMTP. */
const DELIVERY: RouteWish = { prefer: 'lmtp' }

/** What finding a way came to. `gone`: the client left meanwhile. */
export type Found =
  | { readonly kind: 'way'; readonly way: Way }
  | { readonly kind: 'refused'; readonly reason: FailureReason }
  | { readonly kind: 'gone' }

/** Whether a sender may go on. */
export type Prepared = { readonly kind: 'ready' } | NoWay

/** The backend that was opened, which the dialogue keeps. */
export type OpenedWay = { readonly kind: 'open'; readonly backend: BackendSession } | NoWay

type NoWay = Exclude<Found, { kind: 'way' }>

/**
 * Prepares for whoever has just proved who they are, before they are told so. Where the backend has to see the password (it is
 * the judge, or it wants it replayed) it is opened now; elsewhere only the way to it is looked up, and it is opened when needed.
 */
export async function prepareSender(dialogue: Dialogue, authenticated: Authenticated): Promise<Prepared> {
  const { session, connector } = dialogue
  if (authenticated.deferred) {
    const opened = await openMailbox(session, authenticated, (lease, location, signal) =>
      loginAtBackend(lease, { location, authenticated, client: client(dialogue) }, signal),
    )
    if (opened.kind !== 'open') return notOpened(opened)
    const way = wayTo(opened.location, opened.lease.backend)
    dialogue.way = way
    dialogue.backends.set(way.key, opened.welcome)
    return { kind: 'ready' }
  }
  if (!connector.submission) return { kind: 'ready' }
  const { principal } = authenticated
  const route =
    connector.group === undefined
      ? await findRoute(session, principal)
      : toGroup(session, connector.group, principal.user)
  const found = wayOf(dialogue, route)
  if (found.kind !== 'way') return found
  dialogue.way = found.way
  if (found.way.route.candidates[0].identity.kind !== 'password') return { kind: 'ready' }
  const opened = await open(dialogue, found.way, authenticated)
  return opened.kind === 'open' ? { kind: 'ready' } : opened
}

/**
 * The way to a recipient: a telephone's to its gateway, else the sender's own for submission, else what the directory says (RFC 5321 section 3.3), unless the site has
 * one for all. Delivery is by LMTP where that is spoken (RFC 2033).
 */
export async function wayOfRecipient(dialogue: Dialogue, mailbox: Mailbox): Promise<Found> {
  const { session, settings, connector, way } = dialogue
  const called = calledBy(settings, mailbox)
  if (called?.kind === 'bad') return { kind: 'refused', reason: 'no-mailbox' }
  if (called !== undefined) {
    const found = wayOf(dialogue, toGroup(session, called.gateway.group, mailbox.text, DELIVERY))
    return found.kind === 'way' ? { kind: 'way', way: { ...found.way, forCalls: true } } : found
  }
  if (connector.submission)
    return way === undefined ? { kind: 'refused', reason: 'not-authenticated' } : { kind: 'way', way }
  const domain = mailbox.domain === '' ? (connector.domains[0] ?? '') : mailbox.domain
  if (connector.group !== undefined) return wayOf(dialogue, toGroup(session, connector.group, mailbox.text, DELIVERY))
  const asker = {
    client: session.leg.facts.peer,
    helo: dialogue.helo?.domain ?? '',
    sender: dialogue.envelope?.sender?.text ?? '',
  }
  const address = { kind: 'address', local: mailbox.local, domain, asker } as const
  return wayOf(dialogue, await findRoute(session, address, DELIVERY))
}

/**
 * Opens a backend on a way and logs in there as the sender, if there is one. With `fresh` no connection is taken that has been lying
 * ready.
 */
export async function open(
  dialogue: Dialogue,
  way: Way,
  authenticated: Authenticated | undefined,
  options: { readonly fresh?: boolean } = {},
): Promise<OpenedWay> {
  const { session } = dialogue
  const login: LoginAt<BackendSession> = (lease, location, signal) =>
    loginAtBackend(lease, { location, authenticated, client: client(dialogue) }, signal)
  const opened = await openBackend(session, way.route, login, options)
  if (opened.kind === 'refused' && opened.reason === 'invalid-credentials') {
    session.services.log.error('the backend refused an identity that was already verified', {
      session: session.id,
      user: session.record.user,
      backend: session.record.backend,
    })
    return { kind: 'refused', reason: 'backend-unavailable' }
  }
  if (opened.kind !== 'open') return notOpened(opened)
  if (opened.welcome.withheld) warnOfWithheld(dialogue, opened.welcome)
  dialogue.backends.set(way.key, opened.welcome)
  return { kind: 'open', backend: opened.welcome }
}

/** Once for each backend: somebody has to switch its IPv6 on, or to know that it cannot tell these clients from each other. */
function warnOfWithheld({ session, settings }: Dialogue, { lease }: BackendSession): void {
  const { withheldFrom } = sharedOf(settings)
  const { id } = lease.backend
  if (withheldFrom.size >= MOST_WARNED || withheldFrom.has(id)) return
  withheldFrom.add(id)
  const facts = { session: session.id, backend: id }
  session.services.log.warn('a backend without IPv6 is not told the addresses of clients that have it', facts)
}

/** Backends that are warned of: lookups may name any number of them. */
const MOST_WARNED = 1_024

/** The same way without one of its backends; undefined when no other is left. */
export function without(way: Way, backend: string): Way | undefined {
  const [first, ...more] = way.route.candidates.filter(({ id }) => id !== backend)
  return first === undefined ? undefined : { ...way, route: { ...way.route, candidates: [first, ...more] } }
}

/** A deferred login has no route of its own to go back to: the backend that knew the password is the one to ask again. */
function wayTo(location: MailboxLocation, backend: Backend): Way {
  return { key: keyOf(location), route: { kind: 'proxy', location, candidates: [backend] } }
}

/** The route that a connector has for all. Those of one `spreadKey` come to the same backend while it is well. */
function toGroup(session: Session, group: string, spreadKey: string, wish: RouteWish = {}): Route {
  return routeTo(session, { group, source: 'connector' }, spreadKey, wish)
}

function wayOf(dialogue: Dialogue, route: Route): Found {
  if (dialogue.session.signal.aborted) return { kind: 'gone' }
  if (route.kind === 'refuse') return { kind: 'refused', reason: route.reason }
  // SMTP has no redirection that senders follow (RFC 5321 section 3.4): another node has to be asked by them.
  if (route.kind === 'redirect') return { kind: 'refused', reason: 'backend-unavailable' }
  return { kind: 'way', way: { key: keyOf(route.location), route } }
}

function notOpened(opened: Exclude<Opened<BackendSession>, { kind: 'open' }>): NoWay {
  if (opened.kind === 'gone') return opened
  return { kind: 'refused', reason: opened.kind === 'refused' ? opened.reason : 'backend-unavailable' }
}

/** Two mailboxes with the same key can share a transaction. */
function keyOf({ group, host, endpoint }: MailboxLocation): string {
  return JSON.stringify([group, host, endpoint])
}

function client(dialogue: Dialogue) {
  const { session, helo } = dialogue
  const { peer, local } = session.leg.facts
  return {
    peer,
    local,
    helo: helo?.domain ?? session.services.hostname,
    protocol: helo?.kind === 'helo' ? ('SMTP' as const) : ('ESMTP' as const),
    sessionId: session.id,
    remainingHops: remainingHops(session),
  }
}
