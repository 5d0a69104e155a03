// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import { type Outcome, reply } from '../outcome.js'
import { statusReply } from '../replies.js'
import { handshakeLine } from './challenges.js'
import { beginsHandshake, readHandshake } from './credentials.js'
import { recorded, welcome } from './once.js'
import { challenged, malformed, type Place, refused } from './refusals.js'
import { type HandshakeName, handshakeOf, mayBind } from './schemes.js'

/** Somebody who signed in by a handshake, with what their client gets to see of its end. */
export interface BoundSignIn extends Authenticated {
  readonly fields?: string
}

/**
 * One leg of a handshake. It belongs to the connection: octets that answer a challenge of another one, as behind a balancer that
 * spreads requests, are asked for from the beginning.
 */
export async function signInByHandshake(
  place: Place,
  scheme: HandshakeName,
  authorization: string,
): Promise<BoundSignIn | Outcome> {
  const { connection } = place
  const { session, context, shared } = connection
  const { binding } = shared
  if (!mayBind(connection)) return challenged(place, 'mechanism-unavailable')
  const octets = readHandshake(authorization)
  if (octets === undefined) return malformed()
  if (beginsHandshake(octets)) {
    // Each handshake is work for whoever accepts it: one that is left for another counts as one that failed.
    if (binding.running(scheme) !== undefined) connection.failures += 1
    const attempt = session.services.authenticator.handshake(handshakeOf(scheme), context, session.signal)
    await binding.begin(scheme, attempt)
  }
  const running = binding.running(scheme)
  if (running === undefined) return challenged(place, 'not-authenticated')
  session.record.begin()
  const step = await running.step(octets)
  session.record.finish('authenticate')
  if (session.signal.aborted) return { kind: 'gone' }
  if (step.kind === 'challenge') {
    const mayGoOn = connection.failures < session.services.limits.failures
    return reply(statusReply(401, handshakeLine(scheme, step.data)), mayGoOn)
  }
  const { outcome, last } = step
  if (outcome.kind === 'failed') {
    await binding.forget()
    return refused(place, scheme, outcome)
  }
  await binding.bind(scheme, outcome)
  welcome(connection, outcome)
  return last === undefined ? outcome : { ...outcome, fields: handshakeLine(scheme, last) }
}

/**
 * Whoever signed in on this connection, where the directory takes that scheme; `undefined` when nobody did. Every few seconds the
 * auth core is asked whether it still holds.
 */
export async function goOnBound(place: Place): Promise<Authenticated | Outcome | undefined> {
  const { connection, listed } = place
  const { session, context, shared } = connection
  const { bound } = shared.binding
  if (bound === undefined || !listed.includes(bound.scheme)) return undefined
  if (!mayBind(connection)) {
    await shared.binding.forget()
    return undefined
  }
  const { authenticator, clock } = session.services
  if (clock.now() < bound.until) return recorded(connection, bound.outcome)
  session.record.begin()
  const outcome = await authenticator.resume(bound.outcome.principal, context, session.signal)
  session.record.finish('authenticate')
  if (session.signal.aborted) return { kind: 'gone' }
  if (outcome.kind === 'authenticated') {
    await shared.binding.bind(bound.scheme, outcome)
    return recorded(connection, outcome)
  }
  await shared.binding.forget()
  return refused(place, bound.scheme, outcome)
}
