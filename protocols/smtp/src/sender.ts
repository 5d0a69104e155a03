// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import type { Backend, FailureReason, MailboxLocation } from '@portico/base'
import { findRoute, type Opened, openBackend, openMailbox, type Route } from '@portico/session'
import type { Mailbox } from './address.js'
import { loginAtBackend } from './backend-login.js'
import type { BackendSession } from './backend-session.js'
import type { Dialogue, Way } from './dialogue.js'

/** What finding a way came to. `gone`: the client left meanwhile. */
export type Found =
  | { readonly kind: 'way'; readonly way: Way }
  | { readonly kind: 'refused'; readonly reason: FailureReason }
  | { readonly kind: 'gone' }

/** Whether a sender may go on. */
export type Prepared = { readonly kind: 'ready' } | Exclude<Found, { kind: 'way' }>

/**
 * Prepares for whoever has just proved who they are, before they are told so. Where the backend has to see the password (it is
 * the judge, or it wants it replayed) it is opened now; elsewhere only the way to it is looked up, and it is opened when needed.
 */
export async function prepareSender(dialogue: Dialogue, authenticated: Authenticated): Promise<Prepared> {
  const { session } = dialogue
  if (authenticated.deferred) {
    const opened = await openMailbox(session, authenticated, (lease, location, signal) =>
      loginAtBackend(lease, { location, authenticated, client: client(dialogue) }, signal),
    )
    if (opened.kind !== 'open') return notOpened(opened)
    keepWay(dialogue, opened.location, opened.lease.backend)
    keepBackend(dialogue, opened)
    return { kind: 'ready' }
  }
  const found = wayOf(dialogue, await findRoute(session, authenticated.principal))
  if (found.kind !== 'way') return found
  dialogue.way = found.way
  if (found.way.route.candidates[0].identity.kind !== 'password') return { kind: 'ready' }
  return open(dialogue, found.way, authenticated)
}

/** The way to a recipient: the sender's own for submission, else what the directory says (RFC 5321 section 3.3). */
export async function wayOfRecipient(dialogue: Dialogue, mailbox: Mailbox): Promise<Found> {
  const { session, connector, way } = dialogue
  if (connector.submission)
    return way === undefined ? { kind: 'refused', reason: 'not-authenticated' } : { kind: 'way', way }
  const domain = mailbox.domain === '' ? (connector.domains[0] ?? '') : mailbox.domain
  const asker = {
    client: session.leg.facts.peer,
    helo: dialogue.helo?.domain ?? '',
    sender: dialogue.envelope?.mailbox?.text ?? '',
  }
  return wayOf(dialogue, await findRoute(session, { kind: 'address', local: mailbox.local, domain, asker }))
}

/** Opens a backend on a way and logs in there as the sender, if there is one. */
export async function open(dialogue: Dialogue, way: Way, authenticated: Authenticated | undefined): Promise<Prepared> {
  const { session } = dialogue
  const opened = await openBackend(session, way.route, (lease, location, signal) =>
    loginAtBackend(lease, { location, authenticated, client: client(dialogue) }, signal),
  )
  if (opened.kind === 'refused' && opened.reason === 'invalid-credentials') {
    session.services.log.error('the backend refused an identity that was already verified', {
      session: session.id,
      user: session.record.user,
      backend: session.record.backend,
    })
    return { kind: 'refused', reason: 'backend-unavailable' }
  }
  if (opened.kind !== 'open') return notOpened(opened)
  keepBackend(dialogue, opened)
  return { kind: 'ready' }
}

function keepBackend(dialogue: Dialogue, opened: Extract<Opened<BackendSession>, { kind: 'open' }>): void {
  dialogue.backend = opened.welcome
  dialogue.backendKey = keyOf(opened.location)
}

/** A deferred login has no route of its own to go back to: the backend that knew the password is the one to ask again. */
function keepWay(dialogue: Dialogue, location: MailboxLocation, backend: Backend): void {
  dialogue.way = { key: keyOf(location), route: { kind: 'proxy', location, candidates: [backend] } }
}

function wayOf(dialogue: Dialogue, route: Route): Found {
  if (dialogue.session.signal.aborted) return { kind: 'gone' }
  if (route.kind === 'refuse') return { kind: 'refused', reason: route.reason }
  // SMTP has no redirection that senders follow (RFC 5321 section 3.4): another node has to be asked by them.
  if (route.kind === 'redirect') return { kind: 'refused', reason: 'backend-unavailable' }
  return { kind: 'way', way: { key: keyOf(route.location), route } }
}

function notOpened(opened: Exclude<Opened<BackendSession>, { kind: 'open' }>): Exclude<Found, { kind: 'way' }> {
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
  }
}
