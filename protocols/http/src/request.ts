// SPDX-License-Identifier: MIT
import type { Authenticated, AuthFailed } from '@portico/auth'
import type { Principal } from '@portico/base'
import { findRoute, holdBack, type Route, routeTo, weightOf } from '@portico/session'
import { readAuthorization } from './basic.js'
import { takeForwardedClient } from './client-facts.js'
import type { Connection } from './connection.js'
import { isHealthCheck, type Placed, placeOf } from './directories.js'
import { hopsOf } from './headers.js'
import type { Incoming } from './incoming.js'
import { type Outcome, reply } from './outcome.js'
import { proxy } from './proxy.js'
import { failureReply, healthReply, redirectReply, statusReply } from './replies.js'

/** The walk of one request: place, health, encryption, sign-in, route, backend, answer. */
export async function walk(connection: Connection, request: Incoming): Promise<Outcome> {
  const { prepared, session } = connection
  if (request.path === '*') return reply(statusReply(200))
  if (isHealthCheck(prepared.table, request.path)) return health(connection, request)
  if (!connection.active) return reply(failureReply('draining', ''), false)
  const placed = placeOf(prepared.table, request.path)
  if (placed === undefined) return reply(statusReply(404))
  const realm = placed.directory.realm ?? prepared.settings.realm
  const tooLong = request.body.kind === 'length' && request.body.length > placed.directory.maxBody
  const signedIn = await signIn(connection, request, realm)
  if (signedIn.kind !== 'authenticated') return signedIn
  if (tooLong) return reply(failureReply('too-long', realm), false)
  session.hops = hopsOf(request.head.fields)
  const route = await routeFor(connection, signedIn.principal, placed)
  if (route.kind === 'refuse') return reply(failureReply(route.reason, realm))
  if (route.kind === 'redirect') return reply(redirectReply(307, elsewhere(route.to, request)))
  return proxy(connection, request, { placed, realm, signedIn, route })
}

function health(connection: Connection, { head }: Incoming): Outcome {
  if (head.method !== 'GET' && head.method !== 'HEAD') return reply(statusReply(405, 'Allow: GET, HEAD\r\n'))
  return reply(healthReply(connection.active), connection.active)
}

/** Where a redirect points: the same request at the other place. */
function elsewhere(to: string, { path, query }: Incoming): string {
  return `${to.includes('://') ? to.replace(/\/$/, '') : `https://${to}`}${path}${query}`
}

/** Who asks? Nothing is read from Authorization on a leg where passwords may not be shown (RFC 7617 section 4). */
async function signIn(connection: Connection, request: Incoming, realm: string): Promise<Authenticated | Outcome> {
  const { session, prepared } = connection
  const { authenticator } = session.services
  takeForwardedClient(session, request.head.fields)
  const { context } = connection
  const refusal = authenticator.refusePlaintext(context)
  if (refusal === 'encryption-required') return encryptionRequired(prepared.settings.httpsUrl, request, realm)
  // Each refusal by rule is a line in the log: who goes on asking has to come again for it. A proxy speaks for others too.
  if (refusal !== undefined)
    return reply(failureReply(refusal, realm), refusal !== 'network-refused' || session.isProxy)
  const { authorization } = request
  if (authorization === undefined) return reply(failureReply('not-authenticated', realm))
  const remembered = connection.signedIn.recall(authorization, context)
  if (remembered !== undefined) return remembered
  const credentials = readAuthorization(authorization)
  if (credentials.kind === 'malformed') return reply(failureReply('malformed', realm))
  if (credentials.kind === 'other-scheme') return reply(failureReply('mechanism-unavailable', realm))
  session.record.begin()
  const { user, password } = credentials
  const again = connection.signedIn.isKnown(authorization, context)
  const asked = again ? { ...context, again } : context
  const outcome = await authenticator.login({ mechanism: 'Basic', user, password }, asked, session.signal)
  session.record.finish('authenticate')
  if (session.signal.aborted) return { kind: 'gone' }
  if (outcome.kind === 'failed') return refused(connection, outcome, realm)
  connection.failures = 0
  connection.signedIn.remember(authorization, context, outcome)
  session.record.user = outcome.principal.user
  session.record.mechanism = outcome.principal.mechanism
  return outcome
}

async function refused(connection: Connection, outcome: AuthFailed, realm: string): Promise<Outcome> {
  const { session } = connection
  connection.signedIn.forget()
  if (weightOf(outcome.reason) === 'failure') connection.failures += 1
  session.record.user ??= outcome.user
  // A throttled client is told when to come again; others are held back.
  if (outcome.reason !== 'throttled') await holdBack(session, outcome.waitMs)
  const mayGoOn = connection.failures < session.services.limits.failures
  // What is too long here is a field, not a body.
  if (outcome.reason === 'too-long') return reply(statusReply(431), mayGoOn)
  return reply(failureReply(outcome.reason, realm, outcome.waitMs), mayGoOn)
}

/** A browser without credentials is sent to the encrypted side; whoever has shown a password already is not helped to go on. */
function encryptionRequired(httpsUrl: string | undefined, request: Incoming, realm: string): Outcome {
  const safe = request.head.method === 'GET' || request.head.method === 'HEAD'
  if (httpsUrl !== undefined && safe && request.authorization === undefined) {
    return reply(redirectReply(308, `${httpsUrl}${request.path}${request.query}`))
  }
  return reply(failureReply('encryption-required', realm))
}

async function routeFor(connection: Connection, principal: Principal, { directory }: Placed): Promise<Route> {
  const { session } = connection
  if (directory.group === undefined) return findRoute(session, principal)
  return routeTo(session, { group: directory.group, source: 'directory' }, principal.user)
}
