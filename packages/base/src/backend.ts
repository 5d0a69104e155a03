// SPDX-License-Identifier: MIT
import type { Address } from './endpoint.js'
import type { Networks } from './networks.js'
import type { Secret } from './secret.js'

/** `imap4`, `pop3`, `smtp`, `http` and whatever a later folder under protocols/ brings. */
export type ProtocolName = string

/** TLS towards a backend. `verify: false` must be written out by the site; it is refused for remote endpoints by `check`. */
export interface BackendTlsPolicy {
  readonly mode: 'none' | 'starttls' | 'implicit'
  /** PEM text of the certificate authorities; the system's when absent. */
  readonly ca?: string
  /** Name to verify and to send as SNI; the endpoint's host when absent. */
  readonly servername?: string
  readonly verify: boolean
}

/** How the principal is asserted to a backend. */
export type BackendIdentity =
  /** Replay the client's password. */
  | { readonly kind: 'password' }
  /** HTTP: replay the client's bearer token (RFC 6750). */
  | { readonly kind: 'token' }
  /** Log in as a master user on behalf of the principal: SASL PLAIN with an authzid (RFC 4616), or `user<separator>master`. */
  | { readonly kind: 'master'; readonly user: string; readonly secret: Secret<string>; readonly separator?: string }
  /** SMTP: state the login by XCLIENT LOGIN= and do not authenticate. */
  | { readonly kind: 'xclient' }
  /** HTTP: a header that the backend trusts from this proxy. */
  | { readonly kind: 'header'; readonly name: string }
  /** Nothing: the backend asks nobody (inbound SMTP). */
  | { readonly kind: 'none' }

/** How many connections to a backend there may be, and how many stand ready. Counts are of one process. */
export interface BackendPoolPolicy {
  /** Connections per endpoint that are prepared before anybody asks for them. */
  readonly warm: number
  /** Longest rest of such a connection, milliseconds. */
  readonly warmMs: number
  /** Connections to one endpoint at a time; the pool's own limit when absent. */
  readonly endpointConnections?: number
  /** Connections to all endpoints of the group for one protocol at a time; no limit besides when absent. */
  readonly groupConnections?: number
  /** How many may wait for a place at one endpoint. */
  readonly queue: number
  /** How long they wait, milliseconds. */
  readonly waitMs: number
}

/** One mailbox server endpoint for one protocol. */
export interface Backend {
  /** Stable and unique: `group/protocol/address`. For logs, metrics and pools; never for clients. */
  readonly id: string
  readonly group: string
  readonly protocol: ProtocolName
  readonly address: Address
  readonly tls: BackendTlsPolicy
  readonly identity: BackendIdentity
  /** Where a password may cross an unencrypted leg. `loopback` includes Unix sockets. */
  readonly cleartextPasswords: 'never' | 'loopback' | Networks
  /** The PROXY header that each connection begins with, which names the client; none when absent. */
  readonly proxyProtocol?: 'v1' | 'v2'
  /** As the group says; the pool's own limits when absent. */
  readonly pool?: BackendPoolPolicy
  /** How clients that are sent there get there; absent where this process connects itself. */
  readonly transport?: 'udp' | 'tcp' | 'tls'
  /** Path prefix of an HTTP endpoint, without a trailing slash; empty otherwise. */
  readonly path: string
}

/** Where a mailbox lives. */
export interface MailboxLocation {
  readonly group: string
  /** Pins one host of the group; every endpoint of the group is a candidate when absent. */
  readonly host?: string
  /** An endpoint outside the configured list, given by a trusted lookup; the group's TLS and identity rules hold for it. */
  readonly endpoint?: Address
  /** The user name that the backend knows, when it is not the canonical one. */
  readonly backendUser?: string
  /** A password that a trusted lookup gave for the backend, when it is not the client's. */
  readonly backendPassword?: Secret<string>
  readonly site?: string
  /** Name of the locator that found it. */
  readonly source: string
}
