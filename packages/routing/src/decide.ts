// SPDX-License-Identifier: MIT
import { type Backend, formatAddress } from '@portico/base'
import { type Decision, MAX_HOPS, type Referral, type RouteQuestion, type Router } from './router.js'
import type { Topology } from './topology.js'

/**
 * The router over the configured backends. Its answers:
 * - this service drains or is inactive: `draining`;
 * - more hops than {@link MAX_HOPS}: `backend-unavailable`, since the proxies point at each other;
 * - the site sends the group's users of this protocol to another name: `redirect`;
 * - the group exists but does not speak the protocol: `protocol-disabled`;
 * - the group, the pinned host or the given endpoint does not exist or may not be reached: `backend-unavailable`. The mailbox was
 *   found, only its server is not usable here; a permanent answer would bounce mail for a slip in the directory.
 */
export function createRouter(topology: Topology): Router {
  const groups = new Set(topology.groups)
  return {
    decide(question) {
      const { location, protocol } = question
      if ((question.states.get(protocol) ?? 'active') !== 'active') return refuse('draining')
      if (question.hops > MAX_HOPS || !groups.has(location.group)) return refuse('backend-unavailable')
      const elsewhere = topology.redirectOf(location.group, protocol)
      if (elsewhere !== undefined) return { kind: 'redirect', to: elsewhere }
      const listed = topology.backendsOf(location.group, protocol)
      if (listed.length === 0) return refuse('protocol-disabled')
      const [first, ...others] = candidatesOf(topology, listed, question)
      return first === undefined ? refuse('backend-unavailable') : { kind: 'proxy', candidates: [first, ...others] }
    },
    redirects: (protocol) => topology.groups.some((group) => topology.redirectOf(group, protocol) !== undefined),
    follow(referral) {
      const { protocol } = referral
      if ((referral.states.get(protocol) ?? 'active') !== 'active') return refuse('draining')
      const backend = referral.hops > MAX_HOPS ? undefined : referredBackend(topology, referral)
      return backend === undefined ? refuse('backend-unavailable') : { kind: 'proxy', candidates: [backend] }
    },
  }
}

function refuse(reason: Extract<Decision, { kind: 'refuse' }>['reason']): Decision {
  return { kind: 'refuse', reason }
}

function candidatesOf(topology: Topology, listed: readonly Backend[], question: RouteQuestion): readonly Backend[] {
  const { location, protocol, spreadKey } = question
  if (location.endpoint !== undefined) {
    const backend = topology.backendAt(location.group, protocol, location.endpoint)
    return backend === undefined ? [] : [backend]
  }
  const { host } = location
  return byRendezvous(host === undefined ? listed : listed.filter((backend) => isAt(backend, host)), spreadKey)
}

function referredBackend(topology: Topology, { protocol, group, host, port }: Referral): Backend | undefined {
  const others = topology.groups.filter((name) => name !== group)
  const known = [group, ...others].flatMap((name) => topology.backendsOf(name, protocol))
  return known.find(({ address }) => {
    if (address.kind !== 'tcp' || address.host.toLowerCase() !== host.toLowerCase()) return false
    return port === undefined || address.port === port
  })
}

function isAt({ address }: Backend, host: string): boolean {
  if (formatAddress(address) === host) return true
  return address.kind === 'tcp' && address.host.toLowerCase() === host.toLowerCase()
}

/**
 * Orders backends for a key by highest random weight: each key has its own order, so a lost backend moves only its own users, and
 * spreads them over all others.
 */
export function byRendezvous<B extends Pick<Backend, 'id'>>(backends: readonly B[], key: string): readonly B[] {
  if (backends.length < 2) return backends
  return backends
    .map((backend) => ({ backend, weight: hash32(`${key}\0${backend.id}`) }))
    .sort((a, b) => b.weight - a.weight || (a.backend.id < b.backend.id ? -1 : 1))
    .map(({ backend }) => backend)
}

/** FNV-1a over UTF-16 units with a final avalanche, so that keys which differ in one digit land far apart. */
function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
