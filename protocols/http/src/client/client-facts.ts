// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import type { Session } from '@portico/session'
import { Field, type Fields } from '../codec/fields.js'
import { readForwarded, readForwardedFor } from '../codec/forwarded.js'

/**
 * Whom one of the site's proxies says a request is from, and through whom it came, the farthest first. X-Forwarded-For counts
 * where there is one: a proxy that writes it may pass the client's own Forwarded on as it came. Empty: it says nothing that can
 * be read.
 */
function reportedClients(fields: Fields): readonly string[] {
  const plain = fields.all(Field.forwardedFor)
  if (plain !== undefined) return readForwardedFor(plain)
  const standard = fields.all(Field.forwarded)
  return (standard === undefined ? undefined : readForwarded(standard)) ?? []
}

/**
 * Whom a request is from: behind one of the site's proxies each may come from another client, and networks, rules, throttle, route
 * and log follow. The last entry counts, the one that the proxy wrote itself. A balancer that only passes octets on is no such
 * proxy: what it brings was written by its clients.
 */
export function takeForwardedClient(session: Session, fields: Fields): void {
  if (!session.isProxy) return
  const address = reportedClients(fields).at(-1) ?? 'unknown'
  if (address === 'unknown') session.speaksFor(undefined)
  else session.speaksFor({ peer: { address, port: 0, family: isIP(address) === 6 ? 6 : 4 } })
}

/**
 * Whether a request says that it came through a proxy (RFC 9110 section 7.6.3, RFC 7239). Nothing else of it is believed of a
 * stranger, but nobody gains by saying this.
 */
export function cameThroughProxy({ ids }: Fields): boolean {
  return ids.some((id) => id === Field.via || id === Field.forwarded || id === Field.forwardedFor)
}

/** Whether the client's own side is encrypted: here, or at one of the site's proxies, which says so. */
export function isClientEncrypted({ leg, isProxy }: Session, fields: Fields): boolean {
  return leg.tls !== undefined || (isProxy && fields.first(Field.forwardedProto)?.toLowerCase() === 'https')
}

/** Through whom a request came, the farthest first: what a proxy of the site said, and who spoke to us. */
export function forwardedClients(fields: Fields, peer: string, isProxy: boolean): readonly string[] {
  return isProxy ? [...reportedClients(fields), peer] : [peer]
}
