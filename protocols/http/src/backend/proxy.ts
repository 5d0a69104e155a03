// SPDX-License-Identifier: MIT
import { type Backend, formatAddress } from '@portico/base'
import type { Lease } from '@portico/pool'
import { type Opened, openBackend, relayMailbox, takeOpen } from '@portico/session'
import { forwardedClients, isClientEncrypted } from '../client/client-facts.js'
import type { Connection, Prepared } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import { backendPath } from '../directory/directories.js'
import type { View } from '../directory/mapping.js'
import { namedAddresses } from '../directory/named-addresses.js'
import type { Directory } from '../directory/schema.js'
import { type Outcome, reply } from '../outcome.js'
import { failureReply, statusReply } from '../replies.js'
import { conclude, type Destined, type Refused, settled } from './conclude.js'
import { exchange } from './exchange.js'
import type { ExchangeEnd, ExchangePlan } from './exchange-plan.js'
import { formatRequest } from './headers.js'
import { assertionFor, reservedNames } from './identity.js'
import { upgradesOf } from './upgrade.js'
import { UploadPace } from './upload-pace.js'

/**
 * Puts a request to a backend of its route and its answer to the client. A kept connection may have been closed by the backend
 * just as we used it, and others with it: the second try asks for a fresh one. A channel, which may not be tried again and stays for
 * hours, gets one of its own at once.
 */
export async function proxy(connection: Connection, request: Incoming, destined: Destined): Promise<Outcome> {
  for (let fresh = destined.channel !== undefined; ; fresh = true) {
    const kept = fresh ? undefined : takeOpen(connection.session, destined.route)
    const opened = kept ?? (await openBackend(connection.session, destined.route, openAsItIs, { fresh }))
    if (opened.kind === 'gone') return settled(destined, 'unknown', { kind: 'gone' })
    if (opened.kind !== 'open') return settled(destined, 'unknown', reply(failureReply('backend-unavailable')))
    const { reused } = opened.lease
    const end = await atBackend(connection, request, destined, opened)
    const stale = end.kind === 'unanswered' && end.why === 'closed' && end.untouched && reused
    if (stale && !fresh && isIdempotent(request.head.method)) continue
    return conclude(connection, request, destined, end, opened.lease.backend)
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

async function atBackend(
  connection: Connection,
  request: Incoming,
  destined: Destined,
  opened: Extract<Opened<undefined>, { kind: 'open' }>,
): Promise<ExchangeEnd | Refused> {
  const { session, client } = connection
  const { lease } = opened
  const { signedIn } = destined
  const { directory } = destined.placed
  const view = viewOf(connection, request, destined, lease)
  // Nobody gets a tunnel without having signed in.
  const upgrades = client.ownLeg === undefined || signedIn === undefined ? [] : upgradesOf(request, directory.upgrades)
  const head = headFor(connection, request, destined, opened, view, upgrades)
  if (head.kind === 'refused') {
    await lease.release()
    return head
  }
  lease.markUsed()
  session.record.begin()
  if (directory.requestTimeout !== undefined) lease.leg.setDeadline(directory.requestTimeout)
  const plan = planFor(connection, request, destined, lease, { head: head.text, view, upgrades })
  const end = await exchange(plan)
  session.record.finish('relay')
  if (directory.requestTimeout !== undefined) lease.leg.setDeadline(0)
  if (end.kind === 'switched') {
    using _ended = signedIn?.whenEnded?.(() => lease.leg.destroy())
    await relayMailbox(session, lease, undefined, plan.responseTimeout)
    return end
  }
  if (end.kind === 'answered' && end.reusable) void lease.release(end.longestRest)
  else lease.discard()
  return end
}

function planFor(
  connection: Connection,
  request: Incoming,
  destined: Destined,
  lease: Lease,
  said: Pick<ExchangePlan, 'head' | 'view' | 'upgrades'>,
): ExchangePlan {
  const { session, client, prepared } = connection
  const { placed, signedIn } = destined
  const { directory } = placed
  const { responseTimeout, bodyTimeout } = timesOf(prepared, destined)
  return {
    client,
    cancelled: destined.cancelled,
    backend: lease.leg,
    head: said.head,
    method: request.head.method,
    body: request.body,
    upgrades: said.upgrades,
    maxBody: directory.maxBody,
    persist: () => connection.active,
    view: said.view,
    fields: signedIn?.fields ?? '',
    keep401: signedIn === undefined || sendsIdentity(lease),
    limits: prepared.limits,
    responseTimeout,
    bodyTimeout,
    pace: paceOf(connection, request, directory, bodyTimeout),
    passesEnd: destined.channel !== undefined,
    halfClosed: session.services.limits.halfClosed,
  }
}

/** A channel whose client has asked for a longer rest than its directory allows gets it, and a moment for what then comes. */
function timesOf(
  { settings }: Prepared,
  { placed: { directory }, channel }: Destined,
): { readonly responseTimeout: number; readonly bodyTimeout: number } {
  const { responseTimeout, bodyTimeout = settings.bodyTimeout } = directory
  if (channel === undefined || channel.mayRest === 0) return { responseTimeout, bodyTimeout }
  const least = channel.mayRest + REST_MARGIN
  return { responseTimeout: Math.max(responseTimeout, least), bodyTimeout: Math.max(bodyTimeout, least) }
}

/** Milliseconds. */
const REST_MARGIN = 60_000

function paceOf(
  { session }: Connection,
  { body }: Incoming,
  { uploadRate }: Directory,
  windowMs: number,
): UploadPace | undefined {
  if (uploadRate === 0 || body.kind === 'none') return undefined
  return new UploadPace(session.services.clock, windowMs, uploadRate)
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
    backendScheme: backend.tls.mode === 'none' ? 'http' : 'https',
    backendAuthority: backend.address.kind === 'unix' ? 'localhost' : formatAddress(backend.address),
  }
}

const NOBODY = { kind: 'nothing' } as const

function headFor(
  connection: Connection,
  request: Incoming,
  { placed, signedIn }: Destined,
  { lease, location }: Extract<Opened<undefined>, { kind: 'open' }>,
  view: View,
  upgrades: readonly string[],
): { readonly kind: 'head'; readonly text: string } | Refused {
  const { session, prepared } = connection
  const { backend, leg } = lease
  const { fields, method } = request.head
  const { directory } = placed
  const assertion = signedIn === undefined ? NOBODY : assertionFor(backend, leg, signedIn, location)
  if (assertion.kind === 'impossible') return withoutIdentity(connection, backend, assertion.why)
  const named = namedAddresses(view, prepared.table, fields)
  if (named.kind === 'refused') return { kind: 'refused', reply: statusReply(named.status) }
  const text = formatRequest({
    method,
    version: connection.client.version,
    target: backendPath(directory, backend.path, placed.rest) + request.query,
    host: directory.host === 'pass' ? (request.authority ?? view.backendAuthority) : view.backendAuthority,
    fields,
    options: request.options,
    body: request.body,
    expectsContinue: request.expectsContinue,
    upgrades,
    identity: assertion.kind === 'field' ? assertion : undefined,
    reserved: reservedNames(backend, directory),
    named: named.text,
    told: toldLines(connection, request, directory),
    forwarded: {
      clients: forwardedClients(fields, connection.peer, session.isProxy),
      proto: view.clientScheme,
      host: request.authority,
    },
    isProxy: session.isProxy,
  })
  return { kind: 'head', text }
}

/** What the site wants the backend to be told of the client's view, in fields of the site's choice. */
function toldLines({ session }: Connection, { head, authority }: Incoming, directory: Directory): string {
  const { prefixField, originField, mount } = directory
  const lines = prefixField === undefined ? '' : `${prefixField}: ${mount}\r\n`
  if (originField === undefined || authority === undefined) return lines
  const scheme = isClientEncrypted(session, head.fields) ? 'https' : 'http'
  return `${lines}${originField}: ${scheme}://${authority}\r\n`
}

function withoutIdentity({ session }: Connection, backend: Backend, why: string): Refused {
  session.services.log.error('no identity for the backend', { session: session.id, backend: backend.id, why })
  return { kind: 'refused', reply: failureReply('backend-unavailable') }
}
