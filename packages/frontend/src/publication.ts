// SPDX-License-Identifier: MIT
import { servedSchemes } from '@portico/auth'
import { isLoopback } from '@portico/base'
import type { Topology } from '@portico/routing'
import type { Offer, OfferedProof, Protocol, Publication } from '@portico/session'
import type { WrittenNames, WrittenPlace } from './publish-schema.js'
import type { FrontEndSettings, ListenerSettings } from './schema.js'
import { usableMechanisms } from './usable-mechanisms.js'

/** What clients are told to use: by the site's word, else by what the listeners serve. */
export function publicationOf(
  settings: FrontEndSettings,
  topology: Topology,
  protocols: readonly Protocol<never>[],
): Publication {
  const { publish, hostname } = settings
  const { internal, domains, userName, publicFolders } = publish
  const host = publish.host ?? hostname
  const offers = (names: WrittenNames): readonly Offer[] =>
    protocols.flatMap((protocol) => {
      const proofs = proofsOf(settings, topology, protocol)
      return placesOf(settings, protocol, names, host).map((place) => ({ protocol: protocol.name, ...place, proofs }))
    })
  const outside = offers(publish)
  const inside = internal === undefined ? outside : offers(insideNames(publish, internal))
  const isInside: Publication['isInside'] = (networks) =>
    internal?.networks.some((name) => networks.includes(name)) === true
  return {
    name: publish.name ?? host,
    domains,
    userName,
    publicFolders,
    isInside,
    offersFor: ({ networks, states }) =>
      (isInside(networks) ? inside : outside).filter(({ protocol }) => (states.get(protocol) ?? 'active') === 'active'),
  }
}

/** Whether clients anywhere are told of the protocol. */
export function isToldOf(settings: FrontEndSettings, protocol: Protocol<never>): boolean {
  return placesOf(settings, protocol, settings.publish, settings.hostname).length > 0
}

type Place = Pick<Offer, 'host' | 'port' | 'tls'>

/** What the inside leaves open is as outside, under its own name if it has one. */
function insideNames(outside: WrittenNames, inside: WrittenNames): WrittenNames {
  const { host } = inside
  const places = [...outside.places].map(
    ([name, place]) => [name, place === false || host === undefined ? place : { ...place, host }] as const,
  )
  return { host: host ?? outside.host, places: new Map([...places, ...inside.places]) }
}

/** The best first. */
function placesOf(
  settings: FrontEndSettings,
  protocol: Protocol<never>,
  names: WrittenNames,
  hostname: string,
): readonly Place[] {
  const host = names.host ?? hostname
  const listened = settings.listeners
    .filter((listener) => isPublic(settings, protocol, listener))
    .map(({ address, tls }) => ({ host, port: address.kind === 'tcp' ? address.port : 0, tls }))
    .filter((place, index, all) => index === all.findIndex(({ port, tls }) => port === place.port && tls === place.tls))
    .sort((one, other) => rankOf(protocol, one) - rankOf(protocol, other))
  const written = names.places.get(protocol.name)
  if (written === false) return []
  return written === undefined ? listened : [filledIn(protocol, written, listened, host)]
}

function filledIn(
  { ports }: Protocol<never>,
  written: Exclude<WrittenPlace, false>,
  listened: readonly Place[],
  host: string,
): Place {
  const like = listened.find(({ tls }) => written.tls === undefined || tls === written.tls)
  const tls = written.tls ?? like?.tls ?? 'implicit'
  const standard = tls === 'implicit' ? ports.implicit : (ports.clients ?? ports.plain)
  return { host: written.host ?? host, port: written.port ?? like?.port ?? standard, tls }
}

function isPublic(settings: FrontEndSettings, protocol: Protocol<never>, listener: ListenerSettings): boolean {
  const { address, tls, plaintextPasswords } = listener
  if (listener.protocol !== protocol.name || address.kind !== 'tcp' || isLoopback(address)) return false
  if (tls === 'none' && plaintextPasswords !== 'always') return false
  const own = settings.protocols.get(protocol.name) as never
  return protocol.isForClients?.(own, { ...listener, port: address.port }) ?? true
}

const TLS_RANK = { implicit: 0, starttls: 2, none: 4 } as const

function rankOf({ ports }: Protocol<never>, { port, tls }: Place): number {
  const standard = port === (tls === 'implicit' ? ports.implicit : (ports.clients ?? ports.plain))
  return TLS_RANK[tls] + (standard ? 0 : 1)
}

/** The ways of HTTP tell what the credential sources serve; a mail protocol needs a mechanism for it, too. */
const PROOFS = [
  { proof: 'kerberos', scheme: 'NEGOTIATE', mechanisms: ['GSSAPI', 'GSS-SPNEGO'] },
  { proof: 'ntlm', scheme: 'NTLM', mechanisms: ['NTLM'] },
  { proof: 'token', scheme: 'BEARER', mechanisms: ['OAUTHBEARER', 'XOAUTH2'] },
  { proof: 'password', scheme: 'BASIC', mechanisms: undefined },
] as const

function proofsOf(
  settings: FrontEndSettings,
  topology: Topology,
  protocol: Pick<Protocol<never>, 'name'>,
): readonly OfferedProof[] {
  const served = servedSchemes(settings.credentials)
  const usable = usableMechanisms(settings, topology, protocol)
  return PROOFS.filter(({ scheme, mechanisms }) => {
    if (!served.includes(scheme)) return false
    return protocol.name === 'http' || mechanisms === undefined || mechanisms.some((name) => usable.includes(name))
  }).map(({ proof }) => proof)
}
