// SPDX-License-Identifier: MIT
import type { Offer } from '@portico/session'
import type { PresetName, Scheme, WellKnown } from '../directory/presets.js'
import { type Directory, schemesOf } from '../directory/schema.js'

/** The directories that clients are told of, under one name of this server. */
export interface HttpPlaces {
  readonly host: string
  /** `https://host`, with the port where it is not the standard one. */
  readonly origin: string
  /** By kind, the first directory of each. */
  readonly directories: ReadonlyMap<PresetName, HttpPlace>
  /** Where the names under `/.well-known/` lead, without a slash at the end: one directory may be several. */
  readonly wellKnown: ReadonlyMap<WellKnown, string>
}

export interface HttpPlace {
  /** Of its mount, without a slash at the end. */
  readonly url: string
  /** How clients sign in there, in the order of offering. */
  readonly schemes: readonly Scheme[]
}

/** Which directories there are for whom: those that are live and permitted, and what a sign-in can succeed by. */
export interface PlaceRules {
  readonly isOpen: (directory: Directory) => boolean
  readonly isServed: (scheme: Scheme) => boolean
  /** Names of the networks whose rules of signing in hold. */
  readonly networks: readonly string[]
}

const HTTPS_PORT = 443

/** The places under the name of an offer. */
export function httpPlaces(
  directories: readonly Directory[],
  { host, port }: Pick<Offer, 'host' | 'port'>,
  { isOpen, isServed, networks }: PlaceRules,
): HttpPlaces {
  const origin = `https://${host}${port === HTTPS_PORT ? '' : `:${port}`}`
  const places = new Map<PresetName, HttpPlace>()
  const wellKnown = new Map<WellKnown, string>()
  for (const directory of directories.filter(isOpen)) {
    const { preset, mount } = directory
    const url = origin + mount.replace(/\/$/, '')
    for (const name of directory.wellKnown) if (!wellKnown.has(name)) wellKnown.set(name, url)
    if (preset === undefined || places.has(preset)) continue
    const schemes = schemesOf(directory, networks).filter(isServed)
    places.set(preset, { url, schemes })
  }
  return { host, origin, directories: places, wellKnown }
}
