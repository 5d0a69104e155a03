// SPDX-License-Identifier: MIT
import type { ProtocolName } from '@portico/base'
import type { ComponentStates } from '@portico/routing'

/** How a client may prove its user's identity to a service, in words that every kind of set-up document has a word for. */
export type OfferedProof = 'password' | 'token' | 'kerberos' | 'ntlm'

/** A service as clients are told to reach it. */
export interface Offer {
  readonly protocol: ProtocolName
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls' | 'none'
  /** What some account of the site can sign in by there, the strongest first. */
  readonly proofs: readonly OfferedProof[]
}

/** Who asks what there is. */
export interface OfferQuestion {
  /** Names of the client's networks: inside some of them services have other names. */
  readonly networks: readonly string[]
  /** What is not active now is not offered. */
  readonly states: ComponentStates
}

/** What clients are told to use: the same for all of them, so that it may be said to nobody in particular. */
export interface Publication {
  /** Name of the provider, for people. */
  readonly name: string
  /** Mail domains that are served here, in lower case; empty when the site does not say. */
  readonly domains: readonly string[]
  /** What people type as their user name: the whole address, or what stands before its `@`. */
  readonly userName: 'address' | 'alias'
  /** Addresses of mailboxes that hold public folders, in lower case. */
  readonly publicFolders: readonly string[]
  /** Whether a client in these networks is told the names of the inside. */
  isInside(networks: readonly string[]): boolean
  /** For each protocol the best first: TLS from the first octet before STARTTLS, the standard port before others. */
  offersFor(question: OfferQuestion): readonly Offer[]
}
