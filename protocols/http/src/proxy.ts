// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import { type Backend, formatAddress } from '@portico/base'
import type { Lease } from '@portico/pool'
import { type Opened, openBackend, type Route } from '@portico/session'
import { forwardedFor } from './client-facts.js'
import { Field } from './codec/fields.js'
import type { Connection } from './connection.js'
import { backendPath, type Placed } from './directories.js'
import { type ExchangeEnd, exchange } from './exchange.js'
import { formatRequest } from './headers.js'
import { assertionFor, reservedNames } from './identity.js'
import type { Incoming } from './incoming.js'
import { destinationForBackend, locationForClient, type View } from './mapping.js'
import { type Outcome, reply } from './outcome.js'
import { failureReply, type Reply, statusReply } from './replies.js'

/** A request with its directory, its user and their route. */
export interface Destined {
  readonly placed: Placed
  readonly realm: string
  readonly signedIn: Authenticated
  readonly route: Extract<Route, { kind: 'proxy' }>
}

/**
 * Puts a request to a backend of its route and its answer to the client. A kept connection may have been closed by the backend
 * just as we used it, and others with it: the second try asks for a fresh one.
 */
export async function proxy(connection: Connection, request: Incoming, destined: Destined): Promise<Outcome> {
  for (let fresh = false; ; fresh = true) {
    const opened = await openBackend(connection.session, destined.route, openAsItIs, { fresh })
    if (opened.kind === 'gone') return settled(destined, 'unknown', { kind: 'gone' })
    if (opened.kind !== 'open')
      return settled(destined, 'unknown', reply(failureReply('backend-unavailable', destined.realm)))
    const { reused } = opened.lease
    const end = await atBackend(connection, request, destined, opened)
    const stale = end.kind === 'unanswered' && end.why === 'closed' && end.untouched && reused
    if (stale && !fresh && isIdempotent(request.head.method)) continue
    return conclude(connection, request, destined, end)
  }
}

/** Each request carries its own sign-in. */
const openAsItIs = async () => ({ kind: 'open', welcome: undefined }) as const

/** RFC 9110 section 9.2.2, RFC 4918 section 9, RFC 3253 section 3.6, RFC 5323, RFC 4791 section 5.3.1. */
const IDEMPOTENT = new Set(
  'GET HEAD OPTIONS PUT DELETE PROPFIND PROPPATCH REPORT SEARCH COPY MOVE MKCOL MKCALENDAR UNLOCK'.split(' '),
)

function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method)
}

/** Answers that end a request before its head is with a backend. */
type Refused = { readonly kind: 'refused'; readonly reply: Reply }

async function atBackend(
  connection: Connection,
  request: Incoming,
  destined: Destined,
  opened: Extract<Opened<undefined>, { kind: 'open' }>,
): Promise<ExchangeEnd | Refused> {
  const { session, reader, prepared } = connection
  const { lease } = opened
  const { directory } = destined.placed
  const view = viewOf(connection, request, destined, lease)
  const head = headFor(connection, request, destined, opened, view)
  if (head.kind === 'refused') {
    await lease.release()
    return head
  }
  lease.markUsed()
  session.record.begin()
  const end = await exchange({
    reader,
    backend: lease.leg,
    head: head.text,
    method: request.head.method,
    body: request.body,
    maxBody: directory.maxBody,
    clientMinor: request.head.minor,
    persist: () => request.persist && connection.active,
    mapLocation: (value) => locationForClient(view, value),
    keep401: sendsIdentity(lease),
    limits: prepared.limits,
    responseTimeout: directory.responseTimeout,
    bodyTimeout: prepared.settings.bodyTimeout,
    halfClosed: session.services.limits.halfClosed,
  })
  session.record.finish('relay')
  if (end.kind === 'answered' && end.reusable) await lease.release()
  else lease.discard()
  return end
}

/** After a sign-in of ours a backend's 401 is about us; a client that got it would take its password for wrong. */
function sendsIdentity({ backend }: Lease): boolean {
  return backend.identity.kind !== 'none'
}

function viewOf(connection: Connection, request: Incoming, { placed }: Destined, { backend }: Lease): View {
  return {
    directory: placed.directory,
    base: backend.path,
    clientAuthority: request.authority,
    clientScheme: connection.session.leg.tls === undefined ? 'http' : 'https',
    backendAuthority: backend.address.kind === 'unix' ? 'localhost' : formatAddress(backend.address),
  }
}

function headFor(
  connection: Connection,
  request: Incoming,
  { placed, realm, signedIn }: Destined,
  { lease, location }: Extract<Opened<undefined>, { kind: 'open' }>,
  view: View,
): { readonly kind: 'head'; readonly text: string } | Refused {
  const { session, prepared } = connection
  const { backend, leg } = lease
  const { fields, method } = request.head
  const { directory } = placed
  const assertion = assertionFor(backend, leg, signedIn.principal, location)
  if (assertion.kind === 'impossible') return withoutIdentity(connection, backend, assertion.why, realm)
  const named = fields.first(Field.destination)
  const destination = named === undefined ? undefined : destinationForBackend(view, prepared.table, named)
  if (destination !== undefined && destination.kind !== 'mapped') {
    return { kind: 'refused', reply: statusReply(destination.kind === 'bad' ? 400 : 502) }
  }
  const text = formatRequest({
    method,
    target: backendPath(directory, backend.path, placed.rest) + request.query,
    host: directory.host === 'pass' ? (request.authority ?? view.backendAuthority) : view.backendAuthority,
    fields,
    options: request.options,
    body: request.body,
    identity: assertion.kind === 'field' ? assertion : undefined,
    reserved: reservedNames(backend, directory.prefixField),
    destination: destination?.value,
    prefix: directory.prefixField === undefined ? undefined : { name: directory.prefixField, value: directory.mount },
    forwarded: {
      for: forwardedFor(fields, connection.peer, session.isProxy),
      proto: view.clientScheme,
      host: request.authority,
    },
    isProxy: session.isProxy,
  })
  return { kind: 'head', text }
}

function withoutIdentity({ session }: Connection, backend: Backend, why: string, realm: string): Refused {
  session.services.log.error('no identity for the backend', { session: session.id, backend: backend.id, why })
  return { kind: 'refused', reply: failureReply('backend-unavailable', realm) }
}

async function conclude(
  connection: Connection,
  request: Incoming,
  destined: Destined,
  end: ExchangeEnd | Refused,
): Promise<Outcome> {
  const { realm } = destined
  switch (end.kind) {
    case 'answered':
      return settled(destined, 'unknown', { kind: 'proxied', status: end.status, persist: end.persist })
    case 'broken':
      return settled(destined, 'unknown', end)
    case 'client-gone':
      return settled(destined, 'unknown', { kind: 'gone' })
    case 'refused':
      return settled(destined, 'unknown', reply(end.reply))
    case 'bad-request-body':
      return settled(
        destined,
        'unknown',
        reply(end.tooLong ? failureReply('too-long', realm) : statusReply(400), false),
      )
    case 'unauthorized':
      return unauthorized(connection, request, destined)
    case 'unanswered':
      logUnanswered(connection, end.why)
      return settled(destined, 'unknown', reply(statusReply(end.why === 'timeout' ? 504 : 502), false))
  }
}

/**
 * For a deferred sign-in the backend's 401 is the verdict; for any other it is our fault and no wrong password. A body has gone
 * to the backend by then, in part or whole, so that the connection cannot go on behind it.
 */
async function unauthorized(connection: Connection, request: Incoming, destined: Destined): Promise<Outcome> {
  const { session } = connection
  const persist = request.body.kind === 'none'
  if (destined.signedIn.deferred) {
    connection.failures += 1
    const mayGoOn = persist && connection.failures < session.services.limits.failures
    return settled(destined, 'refused', reply(failureReply('invalid-credentials', destined.realm), mayGoOn))
  }
  session.services.log.error('the backend refused an identity that was already verified', {
    session: session.id,
    user: destined.signedIn.principal.user,
    backend: session.record.backend,
  })
  return reply(failureReply('backend-unavailable', destined.realm), persist)
}

/** A good answer proves nothing about a deferred password: the backend may not have asked for one. */
async function settled(destined: Destined, verdict: 'refused' | 'unknown', outcome: Outcome): Promise<Outcome> {
  if (destined.signedIn.deferred) await destined.signedIn.settle(verdict)
  return outcome
}

function logUnanswered(connection: Connection, why: string): void {
  const { session } = connection
  session.services.log.warn('backend failed', {
    session: session.id,
    backend: session.record.backend,
    phase: 'request',
    code: why,
  })
}
