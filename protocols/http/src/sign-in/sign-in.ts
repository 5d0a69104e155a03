// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import { takeForwardedClient } from '../client/client-facts.js'
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import type { Placed } from '../directory/directories.js'
import type { Scheme } from '../directory/presets.js'
import { schemesOf } from '../directory/schema.js'
import { formsSignIn, isFormsPage, refuseWithoutSignIn } from '../forms/forms.js'
import { type Outcome, reply } from '../outcome.js'
import { failureReply, type Reply, redirectReply } from '../replies.js'
import { goOnBound, signInByHandshake } from './bound.js'
import { readBasic, readToken } from './credentials.js'
import { recorded, signInOnce } from './once.js'
import { challenged, malformed, type Place, refused, refusedByRule } from './refusals.js'
import { isAllowed, noteProxy, openSchemes, schemeOf, WORDS } from './schemes.js'

/** Who asks. */
export interface Identified extends Authenticated {
  /** Field lines for the client that go out with the backend's answer, each with its CRLF. */
  readonly fields?: string
  /** What the client is told when a backend refuses what nobody else has judged; challenges when absent. */
  readonly refused?: Reply
  /** Calls `end` when the sign-in is ended before its time; absent where that cannot be. */
  readonly whenEnded?: (end: () => void) => Disposable
}

/**
 * Who asks? The scheme of the Authorization field says how to find out, as far as the directory lists it for this client. Without one
 * it is whoever signed in on this connection before, or nobody. Nothing is read of a password or a token on a leg where none may
 * be shown (RFC 7617 section 4, RFC 6750 section 5.3).
 */
export async function signIn(connection: Connection, request: Incoming, placed: Placed): Promise<Identified | Outcome> {
  takeForwardedClient(connection.session, request.head.fields)
  const listed = schemesOf(placed.directory, connection.session.networks)
  noteProxy(connection, request.head.fields, listed)
  const { authorization } = request
  const place = { connection, directory: placed.directory, listed }
  if (listed.includes('forms') && isFormsPage(placed)) {
    const page = await byForm(place, request, placed)
    if (page !== undefined) return page
  }
  if (authorization === undefined) return withoutCredentials(place, request, placed)
  return recall(place, authorization) ?? byAuthorization(place, request, authorization)
}

/** What was shown on this connection a moment ago need not be looked at again; the directory has to take it all the same. */
function recall({ connection, listed }: Place, authorization: string): Authenticated | undefined {
  const known = connection.signedIn.recall(authorization, connection.context)
  if (known === undefined) return undefined
  const scheme = schemeOf(authorization)
  if (scheme === 'unknown' || scheme === 'malformed' || !listed.includes(scheme)) return undefined
  return recorded(connection, known)
}

async function withoutCredentials(place: Place, request: Incoming, placed: Placed): Promise<Identified | Outcome> {
  const closed = closedTo(place, request)
  if (closed !== undefined) return closed
  return (await goOnBound(place)) ?? (await byForm(place, request, placed)) ?? challenged(place, 'not-authenticated')
}

/** By our own sign-in page and its cookie, where the directory has it; `undefined` where the other schemes have to ask. */
async function byForm(
  { connection, listed }: Place,
  request: Incoming,
  placed: Placed,
): Promise<Identified | Outcome | undefined> {
  if (!listed.includes('forms') || !isAllowed(connection, 'forms')) return undefined
  const answer = await formsSignIn(connection, request, placed)
  if (answer !== undefined || openSchemes(connection, listed).some((scheme) => scheme !== 'forms')) return answer
  return refuseWithoutSignIn(connection, request, placed)
}

async function byAuthorization(place: Place, request: Incoming, authorization: string): Promise<Identified | Outcome> {
  const { connection, listed } = place
  const scheme = schemeOf(authorization)
  if (scheme === 'malformed') return closedTo(place, request) ?? malformed()
  if (scheme === 'unknown' || !listed.includes(scheme)) {
    return closedTo(place, request) ?? challenged(place, 'mechanism-unavailable')
  }
  const refusal = connection.session.services.authenticator.refuseScheme(WORDS[scheme], connection.context)
  if (refusal === 'encryption-required') return encryptionRequired(place, request)
  if (refusal === 'network-refused') return refusedByRule(place)
  if (refusal !== undefined) return challenged(place, 'mechanism-unavailable')
  // Whoever shows credentials is no longer the one who signed in before.
  if (scheme === 'basic' || scheme === 'bearer') await connection.shared.binding.forget()
  return byScheme(place, scheme, authorization)
}

async function byScheme(
  place: Place,
  scheme: Exclude<Scheme, 'forms'>,
  authorization: string,
): Promise<Identified | Outcome> {
  const { connection } = place
  const { authenticator } = connection.session.services
  switch (scheme) {
    case 'basic': {
      const shown = readBasic(authorization)
      if (shown === undefined) return malformed()
      return signInOnce(place, scheme, authorization, (context, signal) =>
        authenticator.login({ ...shown, scheme: 'BASIC' }, context, signal),
      )
    }
    case 'bearer': {
      const token = readToken(authorization)
      if (token === undefined) return refused(place, scheme, { kind: 'failed', reason: 'malformed', waitMs: 0 })
      return signInOnce(place, scheme, authorization, (context, signal) => authenticator.bearer(token, context, signal))
    }
    case 'negotiate':
    case 'ntlm':
      return signInByHandshake(place, scheme, authorization)
  }
}

/** Why nobody can sign in here at all; told before anything is asked for. */
function closedTo(place: Place, request: Incoming): Outcome | undefined {
  const { connection, listed } = place
  if (listed.some((scheme) => isAllowed(connection, scheme))) return undefined
  const [first = 'basic'] = listed
  const refusal = connection.session.services.authenticator.refuseScheme(WORDS[first], connection.context)
  return refusal === 'encryption-required' ? encryptionRequired(place, request) : refusedByRule(place)
}

/** A browser without credentials is sent to the encrypted side; whoever has shown a password already is not helped to go on. */
export function encryptionRequired({ connection }: Pick<Place, 'connection'>, request: Incoming): Outcome {
  const { httpsUrl } = connection.prepared.settings
  const safe = request.head.method === 'GET' || request.head.method === 'HEAD'
  if (httpsUrl !== undefined && safe && request.authorization === undefined) {
    return reply(redirectReply(308, `${httpsUrl}${request.path}${request.query}`))
  }
  return reply(failureReply('encryption-required'))
}
