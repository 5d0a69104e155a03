// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import type { MailboxLocation, Principal } from '@portico/base'
import type { RouteClient } from '@portico/routing'
import { findRoute, type Route, routeTo, type Session } from '@portico/session'
import type { Directory } from '../directory/schema.js'
import type { Anchor } from './anchors.js'

/**
 * Where a request goes: by the user's location, or to the group of the directory. The mailbox that it names instead counts only
 * if the user may act for it; else the user's own server says what it thinks of the wish. In a deferred sign-in nobody is proved
 * to be anybody: no anchor counts, and where somebody's mailbox is must not be told. `asking` says whether the client follows a
 * redirection.
 */
export async function routeFor(
  session: Session,
  { principal, deferred }: Authenticated,
  { group }: Pick<Directory, 'group'>,
  anchor: Anchor | undefined,
  asking: RouteClient,
): Promise<Route> {
  const client = deferred ? undefined : asking
  const mailbox = anchor === undefined || deferred ? undefined : anchoredMailbox(session, principal, anchor)
  const route =
    mailbox === undefined
      ? await ownRoute(session, principal, group, client)
      : await anchoredRoute(session, principal, group, mailbox, client)
  return route.kind === 'redirect' && deferred ? { kind: 'refuse', reason: 'backend-unavailable' } : route
}

/** The account whose place counts; `undefined` for the user's own. */
function anchoredMailbox(session: Session, principal: Principal, { from, mailbox }: Anchor): string | undefined {
  const { authenticator, log } = session.services
  const account = authenticator.accountOf(mailbox)
  if (account.toLowerCase() === principal.user.toLowerCase()) return undefined
  if (authenticator.mayActFor(principal, mailbox)) return account
  log.debug('anchor not followed', { session: session.id, user: principal.user, from, mailbox })
  return undefined
}

/**
 * The place is the mailbox's, and who somebody is there is the user's: a name or a password that the location of another mailbox
 * gives is for its owner alone. A mailbox that does not exist is treated as one that may not be opened.
 */
async function anchoredRoute(
  session: Session,
  principal: Principal,
  group: string | undefined,
  mailbox: string,
  client: RouteClient | undefined,
): Promise<Route> {
  const place = await locate(session, ownerOf(mailbox, principal))
  if (place === 'unavailable') return LOOKUP_UNAVAILABLE
  if (place === 'none') return ownRoute(session, principal, group, client)
  const own = await locate(session, principal)
  if (own === 'unavailable') return LOOKUP_UNAVAILABLE
  return routeTo(session, named(withinGroup(place, group), own), mailbox, wishOf(client))
}

/**
 * Without any anchor. The group of a directory says where everybody goes, and the location still who they are there; its place
 * holds only if that is in the group.
 */
export async function ownRoute(
  session: Session,
  principal: Principal,
  group: string | undefined,
  client?: RouteClient,
): Promise<Route> {
  if (group === undefined) return findRoute(session, principal, wishOf(client))
  const own = await locate(session, principal)
  if (own === 'unavailable') return LOOKUP_UNAVAILABLE
  const place = own === 'none' ? { group, source: 'directory' } : withinGroup(own, group)
  return routeTo(session, named(place, own), principal.user, wishOf(client))
}

function wishOf(client: RouteClient | undefined) {
  return client === undefined ? {} : { client }
}

export type Located = MailboxLocation | 'none'

const LOOKUP_UNAVAILABLE: Route = { kind: 'refuse', reason: 'lookup-unavailable' }

/** Where somebody's mailbox is. */
export async function locate(session: Session, who: Principal): Promise<Located | 'unavailable'> {
  const { services, record } = session
  record.begin()
  const answer = await services.locator.locate(who, session.signal)
  record.finish('locate')
  if (answer.kind === 'found') return answer.location
  if (answer.kind === 'none') return 'none'
  services.log.warn('lookup unavailable', { session: session.id, cause: answer.cause })
  return 'unavailable'
}

/** What a locator is asked with: the user's own record and route say nothing of another mailbox. */
export function ownerOf(mailbox: string, { route: _, ...rest }: Principal): Principal {
  return { ...rest, user: mailbox, delegate: rest.delegate ?? rest.user, fields: new Map() }
}

function withinGroup(location: MailboxLocation, group: string | undefined): MailboxLocation {
  return group === undefined || location.group === group ? location : { group, source: location.source }
}

/** A place, with the name and the password that the user's own location gives. */
function named({ backendUser: _, backendPassword: __, ...place }: MailboxLocation, own: Located): MailboxLocation {
  if (own === 'none') return place
  const { backendUser, backendPassword } = own
  return {
    ...place,
    ...(backendUser === undefined ? {} : { backendUser }),
    ...(backendPassword === undefined ? {} : { backendPassword }),
  }
}
