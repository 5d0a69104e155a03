// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { unmapped } from '@portico/base'
import type { Session } from '@portico/session'
import { Field, type Fields } from './codec/fields.js'

/** The client's address as one of the site's proxies reported it: the last entry of X-Forwarded-For, the one it wrote itself. */
function forwardedPeer(fields: Fields): string | undefined {
  const last = fields.all(Field.forwardedFor)?.split(',').at(-1)?.trim()
  return last !== undefined && isIP(last) !== 0 ? unmapped(last) : undefined
}

/**
 * Whom a request is from: behind one of the site's proxies each may come from another client, and networks, rules, throttle, route
 * and log follow. A balancer that only passes octets on is no such proxy: what it brings was written by its clients.
 */
export function takeForwardedClient(session: Session, fields: Fields): void {
  if (!session.isProxy) return
  const address = forwardedPeer(fields)
  if (address === undefined) session.speaksFor(undefined)
  else session.speaksFor({ peer: { address, port: 0, family: isIP(address) === 6 ? 6 : 4 } })
}

/** The value of X-Forwarded-For: what a proxy of the site said, and who spoke to us. */
export function forwardedFor(fields: Fields, peer: string, isProxy: boolean): string {
  const before = isProxy ? fields.all(Field.forwardedFor) : undefined
  return before === undefined ? peer : `${before}, ${peer}`
}
