// SPDX-License-Identifier: MIT
import { addressOf, type ClientFacts, portOf, UNAVAILABLE, xtext } from './client-facts.js'

/** What XCLIENT is to say. */
export interface XclientWish {
  /** The user; undefined for nobody. */
  readonly login: string | undefined
  /** Undefined where the client's address is told in another way. */
  readonly client: ClientFacts | undefined
  /** What XCLIENT has set on the connection for an earlier client. */
  readonly left: ReadonlySet<string>
}

/**
 * What XCLIENT sets, among the attributes that the backend takes. ADDR comes last, because a backend may stop trusting the
 * connection once the address has changed. Each attribute of a client always has a value, so that nothing of an earlier one stays.
 */
export function xclientAttributes(
  wish: XclientWish,
  offered: ReadonlySet<string>,
): readonly (readonly [string, string])[] {
  const { client, login, left } = wish
  const all: readonly (readonly [string, string | undefined])[] = [
    ['NAME', client && UNAVAILABLE],
    ['PORT', client && portOf(client.peer)],
    ['PROTO', client?.protocol],
    ['HELO', client && xtext(client.helo)],
    ['LOGIN', login === undefined ? (left.has('LOGIN') ? UNAVAILABLE : undefined) : xtext(login)],
    ['DESTADDR', client && addressOf(client.local)],
    ['DESTPORT', client && portOf(client.local)],
    ['SESSION', client && xtext(client.sessionId)],
    ['TTL', client && String(client.remainingHops)],
    ['ADDR', client && addressOf(client.peer)],
  ]
  return all.flatMap(([name, value]) => (value !== undefined && offered.has(name) ? [[name, value] as const] : []))
}
