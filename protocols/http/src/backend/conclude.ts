// SPDX-License-Identifier: MIT
import type { Backend, Cancellation } from '@portico/base'
import type { Route } from '@portico/session'
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import type { Placed } from '../directory/directories.js'
import { schemesOf } from '../directory/schema.js'
import { type Outcome, reply } from '../outcome.js'
import type { Channel } from '../outlook/rpc-request.js'
import { failureReply, type Reply, statusReply } from '../replies.js'
import { tokenError } from '../sign-in/challenges.js'
import { challengeReply, type Place } from '../sign-in/refusals.js'
import type { Identified } from '../sign-in/sign-in.js'
import type { ExchangeEnd } from './exchange-plan.js'

/** A request with its directory, its user and their route. */
export interface Destined {
  readonly placed: Placed
  /** `undefined` for what its directory serves without a sign-in. */
  readonly signedIn: Identified | undefined
  readonly route: Extract<Route, { kind: 'proxy' }>
  /** What it is of a virtual connection of RPC over HTTP, if it is. */
  readonly channel?: Channel | undefined
  /** Breaks the request off. */
  readonly cancelled?: Cancellation
}

/** An answer that ends a request before its head is with a backend. */
export type Refused = { readonly kind: 'refused'; readonly reply: Reply }

/** What is wrong with a request's body, as the client is told. */
const BODY_FAULTS = { 'too-long': 413, broken: 400, 'too-slow': 408 } as const

/** What a request came to, now that its exchange with a backend has ended. */
export function conclude(
  connection: Connection,
  request: Incoming,
  destined: Destined,
  end: ExchangeEnd | Refused,
  backend: Backend,
): Outcome | Promise<Outcome> {
  switch (end.kind) {
    case 'answered':
      connection.shared.admitted ||= destined.signedIn !== undefined
      return settled(destined, 'unknown', { kind: 'proxied', status: end.status, persist: end.persist })
    case 'switched':
      connection.shared.admitted = true
      return settled(destined, 'unknown', { kind: 'proxied', status: 101, persist: false })
    case 'broken':
      return settled(destined, 'unknown', destined.channel === undefined ? end : endedChannel(end))
    case 'client-gone':
      return settled(destined, 'unknown', { kind: 'gone' })
    case 'refused':
      return settled(destined, 'unknown', reply(end.reply))
    case 'bad-request-body':
      return settled(destined, 'unknown', reply(statusReply(BODY_FAULTS[end.why]), false))
    case 'unauthorized':
      return destined.signedIn !== undefined && backend.identity.kind === 'token'
        ? tokenRefused(connection, request, destined)
        : unauthorized(connection, request, destined)
    case 'unanswered':
      logUnanswered(connection, end.why)
      return settled(destined, 'unknown', reply(statusReply(end.why === 'timeout' ? 504 : 502), false))
  }
}

/**
 * A channel ends before its length is used up when another has taken its place, and its last packets have to arrive: a reset could
 * overtake them. What is missing its client sees by the length.
 */
function endedChannel({ status }: Extract<ExchangeEnd, { kind: 'broken' }>): Outcome {
  return { kind: 'proxied', status, persist: false }
}

/**
 * For a deferred sign-in the backend's 401 is the verdict; for any other it is our fault and no wrong password. Who has not signed
 * in is not asked to by a backend whose challenges we would not let be answered. A body has gone to the backend by then, in part
 * or whole, so that the connection cannot go on behind it.
 */
async function unauthorized(connection: Connection, request: Incoming, destined: Destined): Promise<Outcome> {
  const { session } = connection
  const persist = request.body.kind === 'none'
  const { signedIn } = destined
  if (signedIn === undefined) return reply(statusReply(403), persist)
  if (signedIn.deferred) {
    connection.failures += 1
    const mayGoOn = persist && connection.failures < session.services.limits.failures
    return settled(destined, 'refused', reply(signedIn.refused ?? refusedBy(connection, destined.placed), mayGoOn))
  }
  session.services.log.error('the backend refused an identity that was already verified', {
    session: session.id,
    user: signedIn.principal.user,
    backend: session.record.backend,
  })
  return reply(failureReply('backend-unavailable'), persist)
}

/** A token may have run out meanwhile, or be none for this backend: its client has to get another. */
function tokenRefused(connection: Connection, request: Incoming, destined: Destined): Outcome {
  const { session } = connection
  connection.signedIn.forget()
  session.services.log.warn('a backend refused a token that was good here', {
    session: session.id,
    user: session.record.user,
    backend: session.record.backend,
  })
  const told = challengeReply(
    signInPlace(connection, destined.placed),
    'invalid-credentials',
    tokenError('invalid-credentials'),
  )
  return reply(told, request.body.kind === 'none')
}

function refusedBy(connection: Connection, placed: Placed): Reply {
  return challengeReply(signInPlace(connection, placed), 'invalid-credentials')
}

function signInPlace(connection: Connection, { directory }: Placed): Place {
  return { connection, directory, listed: schemesOf(directory, connection.session.networks) }
}

/** A good answer proves nothing about a deferred password: the backend may not have asked for one. */
export function settled(
  { signedIn }: Destined,
  verdict: 'refused' | 'unknown',
  outcome: Outcome,
): Outcome | Promise<Outcome> {
  return signedIn?.deferred === true ? signedIn.settle(verdict).then(() => outcome) : outcome
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
