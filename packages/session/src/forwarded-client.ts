// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import type { Endpoint } from '@portico/base'
import { canonicalAddress } from '@portico/net'
import { MAX_HOPS } from '@portico/routing'
import type { Session } from './session.js'

/** What a proxy in front says of its client, as it wrote it. Every protocol has its own names for these. */
export interface ForwardedFacts {
  readonly address?: string | undefined
  readonly port?: string | undefined
  /** Where the client had connected to. */
  readonly localAddress?: string | undefined
  readonly localPort?: string | undefined
  /** How many more proxies the session may pass. */
  readonly ttl?: string | undefined
  /** The proxy's own name of the session. */
  readonly sessionId?: string | undefined
}

/**
 * Takes a proxy's word for who its client is; throttle, networks, log and backends then see that client. False, and nothing is
 * taken, when it is none of the site's proxies or a fact cannot be read.
 */
export function takeForwarded(session: Session, facts: ForwardedFacts): boolean {
  if (!session.isProxy) return false
  const peer = endpointOf(facts.address, facts.port)
  const local = endpointOf(facts.localAddress, facts.localPort)
  const hops = hopsOf(facts.ttl)
  if (peer === 'unreadable' || local === 'unreadable' || hops === 'unreadable') return false
  if (hops !== undefined) session.hops = hops
  if (peer === undefined) return true
  session.speaksFor({ peer, ...(local === undefined ? {} : { local }) })
  const { id, services } = session
  services.log.info('a proxy speaks for its client', { session: id, client: peer.address, itsSession: facts.sessionId })
  return true
}

/** How many proxies may follow this one: what the next one is told. */
export function remainingHops({ hops }: Pick<Session, 'hops'>): number {
  return Math.max(0, MAX_HOPS - hops - 1)
}

/** How many proxies a session has passed that may pass `ttl` more; at 0 it was one too many. */
function hopsOf(ttl: string | undefined): number | undefined | 'unreadable' {
  if (ttl === undefined) return undefined
  if (!/^\d{1,3}$/.test(ttl)) return 'unreadable'
  return Number(ttl) === 0 ? MAX_HOPS + 1 : Math.max(0, MAX_HOPS - Number(ttl))
}

function endpointOf(address: string | undefined, port: string | undefined): Endpoint | undefined | 'unreadable' {
  if (address === undefined) return undefined
  // A zone means something to its own host alone (RFC 4007 section 11.2).
  if (isIP(address) === 0 || address.includes('%') || !/^\d{1,5}$/.test(port ?? '0') || Number(port ?? 0) > 65_535)
    return 'unreadable'
  const plain = canonicalAddress(address)
  return { address: plain, port: Number(port ?? 0), family: plain.includes(':') ? 6 : 4 }
}
