// SPDX-License-Identifier: MIT
import { type Address, type Backend, formatAddress, type ProtocolName } from '@portico/base'
import { crossSite } from './cross-site.js'
import {
  CLIENT_KINDS,
  type Decision,
  MAX_HOPS,
  type Redirection,
  type Referral,
  type RouteQuestion,
  type Router,
} from './router.js'
import type { Topology } from './topology.js'

/**
 * The router over the configured backends. Its answers:
 * - this service drains or is inactive: `draining`;
 * - more hops than {@link MAX_HOPS}: `backend-unavailable`, since the proxies point at each other;
 * - clients of this kind are sent to the group's site, or to a name of its own: `redirect` (see {@link crossSite});
 * - the group exists but speaks neither the protocol nor the preferred one: `protocol-disabled`;
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
      const elsewhere = redirectionOf(topology, question)
      if (elsewhere !== undefined) return elsewhere
      const spoken = spokenBy(topology, question)
      if (spoken.length === 0) return refuse('protocol-disabled')
      const [first, ...others] = candidatesOf(topology, spoken, question)
      return first === undefined ? refuse('backend-unavailable') : { kind: 'proxy', candidates: [first, ...others] }
    },
    redirections: (protocol) => topology.groups.flatMap((group) => redirectionsFrom(topology, group, protocol)),
    siteOf: ({ group }) => topology.siteOf(group),
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

function redirectionOf(topology: Topology, { location: { group }, protocol, client }: RouteQuestion) {
  return crossSite({ protocol, client, site: topology.siteOf(group), override: topology.redirectOf(group, protocol) })
}

/** Where clients of the protocol are sent from a group. */
function redirectionsFrom(topology: Topology, group: string, protocol: ProtocolName): readonly Redirection[] {
  const question = { protocol, site: topology.siteOf(group), override: topology.redirectOf(group, protocol) }
  return [undefined, ...CLIENT_KINDS].flatMap(
    (kind) => crossSite({ ...question, client: { ...(kind && { kind }), encrypted: true } }) ?? [],
  )
}

/** The protocols by which the group can be reached, the preferred one first. */
function spokenBy(topology: Topology, { location, protocol, prefer }: RouteQuestion): readonly ProtocolName[] {
  const wanted = prefer === undefined ? [protocol] : [prefer, protocol]
  return wanted.filter((name) => topology.backendsOf(location.group, name).length > 0)
}

function candidatesOf(
  topology: Topology,
  spoken: readonly ProtocolName[],
  { location, spreadKey }: RouteQuestion,
): readonly Backend[] {
  const { group, host, endpoint } = location
  if (endpoint !== undefined) return givenBackend(topology, spoken, group, endpoint)
  for (const name of spoken) {
    const listed = topology.backendsOf(group, name)
    const here = host === undefined ? listed : listed.filter((backend) => isAt(backend, host))
    if (here.length > 0) return byRendezvous(here, spreadKey)
  }
  return []
}

/** What a lookup names is asked for in the session's protocol, the last of those spoken. */
function givenBackend(
  topology: Topology,
  spoken: readonly ProtocolName[],
  group: string,
  endpoint: Address,
): readonly Backend[] {
  const text = formatAddress(endpoint)
  const isListed = (name: ProtocolName) =>
    topology.backendsOf(group, name).some(({ address }) => formatAddress(address) === text)
  const name = spoken.find(isListed) ?? spoken.at(-1)
  const backend = name === undefined ? undefined : topology.backendAt(group, name, endpoint)
  return backend === undefined ? [] : [backend]
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
