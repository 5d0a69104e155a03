// SPDX-License-Identifier: MIT
import type { Offer } from '@portico/session'
import type { Connection } from '../client/connection.js'
import type { HttpPlaces } from './http-places.js'
import { placesOf } from './places-of.js'

/** Directories that a client can be pointed to, by what they speak. */
export type WebKind = 'caldav' | 'carddav' | 'activesync' | 'owa'

/** Everything that a set-up document is made of. */
export interface SetUp {
  /** Name of the provider, for people. */
  readonly name: string
  /** The mail domain that was asked for, in lower case. */
  readonly domain: string
  /** What people type as their user name. */
  readonly userName: 'address' | 'alias'
  /** Best first, for each protocol. */
  readonly offers: readonly Offer[]
  /** Addresses of directories, with a slash at the end. */
  readonly web: Readonly<Partial<Record<WebKind, string>>>
}

/** Those of a protocol, without what would send a password for everybody to read. */
export function encryptedOffers({ offers }: Pick<SetUp, 'offers'>, protocol: Offer['protocol']): readonly Offer[] {
  return offers.filter((offer) => offer.protocol === protocol && offer.tls !== 'none')
}

/** What there is for users of a domain, whoever they are. */
export function setUpForAnybody(connection: Connection, domain: string): SetUp {
  const { networks, services } = connection.session
  const offers = services.publication.offersFor({ networks, states: services.states() })
  return setUpOf(connection, domain, { offers, places: placesOf(connection, networks) })
}

/** What there is for one user, as far as it is known already. */
export interface Found {
  readonly offers: readonly Offer[]
  readonly places: HttpPlaces | undefined
}

/** Puts it together with what holds for the whole site. */
export function setUpOf({ session }: Connection, domain: string, { offers, places }: Found): SetUp {
  const { name, userName } = session.services.publication
  return { name, domain, userName, offers, web: webOf(places) }
}

function webOf(places: HttpPlaces | undefined): SetUp['web'] {
  const web: Partial<Record<WebKind, string>> = {}
  const put = (kind: WebKind, url: string | undefined): void => {
    if (url !== undefined) web[kind] = `${url}/`
  }
  put('caldav', places?.wellKnown.get('caldav'))
  put('carddav', places?.wellKnown.get('carddav'))
  put('activesync', places?.directories.get('activesync')?.url)
  put('owa', places?.directories.get('owa')?.url)
  return web
}
