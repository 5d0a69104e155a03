// SPDX-License-Identifier: MIT
import type { HandshakeScheme, HttpScheme } from '@portico/auth'
import { cameThroughProxy } from '../client/client-facts.js'
import type { Connection } from '../client/connection.js'
import type { Fields } from '../codec/fields.js'
import type { Scheme } from '../directory/presets.js'

/** What the auth core, its rules and its log call each. */
export const WORDS: Readonly<Record<Scheme, HttpScheme>> = {
  negotiate: 'NEGOTIATE',
  ntlm: 'NTLM',
  basic: 'BASIC',
  bearer: 'BEARER',
  forms: 'FORMS',
}

/** Schemes whose client proves itself once and stays signed in on its connection (RFC 4559 section 6, [MS-NTHT] section 1.3). */
export type HandshakeName = Extract<Scheme, 'negotiate' | 'ntlm'>

export function handshakeOf(scheme: HandshakeName): HandshakeScheme {
  return scheme === 'ntlm' ? 'NTLM' : 'NEGOTIATE'
}

function bindsConnection(scheme: Scheme): scheme is HandshakeName {
  return scheme === 'negotiate' || scheme === 'ntlm'
}

/** The scheme of an Authorization field (RFC 9110 section 11.4); `malformed` when it begins with no token. */
export function schemeOf(authorization: string): Exclude<Scheme, 'forms'> | 'unknown' | 'malformed' {
  const space = authorization.indexOf(' ')
  const word = (space < 0 ? authorization : authorization.slice(0, space)).toLowerCase()
  if (word === 'basic' || word === 'bearer' || word === 'negotiate' || word === 'ntlm') return word
  return /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(word) ? 'unknown' : 'malformed'
}

/** Notices a proxy between us and the client, which is then never bound to the connection. The log tells of it once. */
export function noteProxy({ session, shared }: Connection, fields: Fields, listed: readonly Scheme[]): void {
  if (shared.relayed || session.isProxy || !listed.some(bindsConnection) || !cameThroughProxy(fields)) return
  shared.relayed = true
  session.services.log.info('no handshake through a proxy', {
    session: session.id,
    client: session.leg.facts.peer.address,
  })
}

/**
 * Whether somebody may be bound to the connection: that of a proxy carries many clients, be it one of the site's or a stranger's,
 * and one of HTTP/2 many requests at once.
 */
export function mayBind(connection: Connection): boolean {
  return !isShared(connection) && connection.client.ownLeg !== undefined
}

function isShared({ session, shared }: Connection): boolean {
  return session.isProxy || shared.relayed
}

/** Those of a directory's schemes that can succeed for this client, in their order. */
export function openSchemes(connection: Connection, listed: readonly Scheme[]): readonly Scheme[] {
  const binds = mayBind(connection)
  return listed.filter((scheme) => (binds || !bindsConnection(scheme)) && isAllowed(connection, scheme))
}

/** In HTTP/1.1 this client could sign in by a scheme that its version does not allow. */
export function wantsOwnLeg(connection: Connection, listed: readonly Scheme[]): boolean {
  if (isShared(connection) || mayBind(connection)) return false
  return listed.some((scheme) => bindsConnection(scheme) && isAllowed(connection, scheme))
}

/** Whether some source serves the scheme, and no rule is against it for this client. */
export function isAllowed({ session, context }: Connection, scheme: Scheme): boolean {
  return session.services.authenticator.schemeAllowed(WORDS[scheme], context)
}
