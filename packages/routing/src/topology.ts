// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import {
  type Address,
  type Backend,
  type BackendIdentity,
  type BackendPoolPolicy,
  type BackendTlsPolicy,
  formatAddress,
  isLoopback,
  type ProtocolName,
} from '@portico/base'
import type { TextSource } from '@portico/config'
import type {
  BackendsSettings,
  EndpointSettings,
  GroupSettings,
  IdentitySettings,
  PoolSettings,
  ProtocolSettings,
} from './schema.js'
import { type SitesSettings, type SiteView, siteView } from './sites.js'

/** The backends that exist. Built once per configuration. */
export interface Topology {
  readonly groups: readonly string[]
  /** The endpoints of a group for a protocol, as configured; empty when there are none. */
  backendsOf(group: string, protocol: ProtocolName): readonly Backend[]
  /**
   * A backend at an address that a trusted lookup gave, under the group's rules; the configured one when it is listed. Undefined
   * when the group does not speak the protocol or its rules forbid an unencrypted leg to there.
   */
  backendAt(group: string, protocol: ProtocolName, address: Address): Backend | undefined
  /** The public name that a group itself sends its users to; undefined when its site decides. */
  redirectOf(group: string, protocol: ProtocolName): string | undefined
  /** The site that a group is at. */
  siteOf(group: string): SiteView
}

/** The configured backends cannot be used as written. `path` leads to the fault inside the `backends` block. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError'
  readonly path: readonly (string | number)[]

  constructor(path: readonly (string | number)[], message: string) {
    super(`backends.${path.join('.')}: ${message}`)
    this.path = path
  }
}

interface Shelf {
  readonly backends: readonly Backend[]
  readonly at: (endpoint: EndpointSettings) => Backend
}

/** The `sites` block, and which of them is here. */
export interface SitesAround {
  readonly sites: SitesSettings
  readonly site?: string | undefined
}

/** One site, which needs no name. */
const ONE_SITE: SitesAround = { sites: {} }

/**
 * Turns the `backends` block into backends. `readText` fetches certificate authorities. Throws {@link TopologyError} for an
 * endpoint that is neither encrypted, nor loopback, nor inside a listed network, and for TLS that a protocol does not have.
 */
export function buildTopology(
  settings: BackendsSettings,
  readText: (source: TextSource) => string,
  { sites, site }: SitesAround = ONE_SITE,
): Topology {
  const groups = new Map<string, ReadonlyMap<ProtocolName, Shelf>>()
  const views = new Map<string, SiteView>()
  const here = siteView(sites, site)
  for (const [name, group] of Object.entries(settings)) {
    const shelves = new Map<ProtocolName, Shelf>()
    for (const [protocol, block] of group.protocols) {
      shelves.set(protocol, buildShelf(name, group, protocol, block, readText))
    }
    groups.set(name, shelves)
    views.set(name, siteView(sites, site, group.site))
  }
  return {
    groups: [...groups.keys()],
    siteOf: (group) => views.get(group) ?? here,
    redirectOf: (group, protocol) => (groups.has(group) ? settings[group]?.redirect.get(protocol) : undefined),
    backendsOf: (group, protocol) => groups.get(group)?.get(protocol)?.backends ?? [],
    backendAt(group, protocol, address) {
      const shelf = groups.get(group)?.get(protocol)
      if (shelf === undefined) return undefined
      const text = formatAddress(address)
      const listed = shelf.backends.find((backend) => formatAddress(backend.address) === text)
      if (listed !== undefined) return listed
      const secure = shelf.backends[0]?.protocol === 'http' ? shelf.backends[0].tls.mode === 'implicit' : undefined
      const backend = shelf.at({ address, path: shelf.backends[0]?.path ?? '', secure })
      return cleartextFault(backend) === undefined ? backend : undefined
    },
  }
}

function buildShelf(
  name: string,
  group: GroupSettings,
  protocol: ProtocolName,
  block: ProtocolSettings,
  readText: (source: TextSource) => string,
): Shelf {
  const ca = block.tls?.ca === undefined ? undefined : readText(block.tls.ca)
  const identity = identityOf(block.identity ?? group.identity)
  const proxyProtocol = block.proxyProtocol ?? group.proxyProtocol
  const pool = poolOf(group.pool)
  const at = (endpoint: EndpointSettings): Backend => ({
    id: `${name}/${protocol}/${formatAddress(endpoint.address)}${endpoint.path}`,
    group: name,
    protocol,
    address: endpoint.address,
    tls: block.transport === undefined ? tlsPolicyOf(endpoint, block, group, ca) : NOT_CONNECTED,
    identity,
    cleartextPasswords: group.cleartextPasswords,
    ...(proxyProtocol === 'none' ? {} : { proxyProtocol }),
    pool,
    ...(block.transport === undefined ? {} : { transport: block.transport }),
    path: endpoint.path,
  })
  const backends = block.endpoints.map((endpoint, index) => {
    const backend = at(endpoint)
    const fault = httpTlsFault(endpoint, backend) ?? cleartextFault(backend)
    if (fault !== undefined) throw new TopologyError([name, protocol, 'endpoints', index], fault)
    return backend
  })
  const ids = new Set(backends.map((backend) => backend.id))
  if (ids.size !== backends.length)
    throw new TopologyError([name, protocol, 'endpoints'], 'an endpoint is listed twice')
  return { backends, at }
}

/** Of endpoints that clients are sent to. */
const NOT_CONNECTED: BackendTlsPolicy = { mode: 'none', verify: true }

function tlsPolicyOf(
  endpoint: EndpointSettings,
  block: ProtocolSettings,
  group: GroupSettings,
  ca: string | undefined,
): BackendTlsPolicy {
  const { tls } = block
  return {
    mode: tls?.mode ?? defaultMode(endpoint, group),
    verify: tls?.verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(tls?.servername === undefined ? {} : { servername: tls.servername }),
  }
}

const IMPLICIT_PORTS: ReadonlySet<number> = new Set([993, 995, 465, 443])

function defaultMode({ address, secure }: EndpointSettings, group: GroupSettings): BackendTlsPolicy['mode'] {
  if (secure !== undefined) return secure ? 'implicit' : 'none'
  if (address.kind === 'tcp' && IMPLICIT_PORTS.has(address.port)) return 'implicit'
  return isLoopback(address) && group.cleartextPasswords !== 'never' ? 'none' : 'starttls'
}

function httpTlsFault(endpoint: EndpointSettings, backend: Backend): string | undefined {
  if (endpoint.secure === undefined) return undefined
  if (backend.tls.mode === 'starttls') return 'HTTP has no STARTTLS: write an https:// URL'
  if (endpoint.secure !== (backend.tls.mode === 'implicit')) return 'the URL and tls.mode contradict each other'
  return undefined
}

/** Names cannot be judged before they are resolved: with a list of networks they are checked when connecting. */
function cleartextFault(backend: Backend): string | undefined {
  const { address, cleartextPasswords: rule } = backend
  if (backend.tls.mode !== 'none' || backend.transport !== undefined || isLoopback(address)) return undefined
  const host = address.kind === 'tcp' ? address.host : ''
  if (typeof rule === 'object' && (isIP(host) === 0 || rule.contains(host))) return undefined
  return `${formatAddress(address)} would be reached without TLS: use tls.mode starttls or implicit, or list its network under cleartextPasswords`
}

function identityOf(written: IdentitySettings): BackendIdentity {
  if (typeof written === 'string') return { kind: written }
  if ('header' in written) return { kind: 'header', name: written.header.name }
  const { user, secret, separator } = written.master
  return { kind: 'master', user, secret, ...(separator === undefined ? {} : { separator }) }
}

/** Connections that stand ready where the site does not say how many. */
const WARM = 2

function poolOf({
  warm,
  warmFor,
  endpointConnections,
  groupConnections,
  queue,
  wait,
}: PoolSettings): BackendPoolPolicy {
  return {
    warm: warm ?? Math.min(WARM, endpointConnections ?? WARM),
    warmMs: warmFor,
    ...(endpointConnections === undefined ? {} : { endpointConnections }),
    ...(groupConnections === undefined ? {} : { groupConnections }),
    queue,
    waitMs: wait,
  }
}
