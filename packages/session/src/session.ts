// SPDX-License-Identifier: MIT
import type { CancellationSource, Endpoint, ProtocolName } from '@portico/base'
import type { Leg } from '@portico/net'
import type { SessionRecord } from '@portico/telemetry'
import type { Services } from './services.js'

/** What a session knows of the listener it came in by. */
export interface ListenerFacts {
  readonly name: string
  readonly tls: 'none' | 'starttls' | 'implicit'
  /** Whether passwords may be shown on an unencrypted leg. */
  readonly plaintextPasswords: 'never' | 'loopback' | 'always'
  /** The protocol's own settings of this listener (the rest of its entry under `listeners`). */
  readonly options: unknown
  /** Becomes the server side of STARTTLS; undefined when the listener has no certificate. */
  readonly tlsAcceptor: import('@portico/net').TlsAcceptor | undefined
}

/** One protocol conversation, from greeting to close. */
export interface Session {
  /** In every log line, and told to the backend. */
  readonly id: string
  readonly protocol: ProtocolName
  readonly listener: ListenerFacts
  readonly leg: Leg
  /** Names of the configured networks that hold the client. */
  readonly networks: readonly string[]
  /** The client itself is one of the site's proxies: it may say, in the protocol, whom it speaks for. */
  readonly isProxy: boolean
  readonly services: Services
  /** Aborted when the client goes, when the pre-auth time is up, and when the node destroys its sessions. */
  readonly signal: CancellationSource
  readonly record: SessionRecord
  /** How many proxies the session has passed before this one, as far as a trusted proxy said. */
  hops: number
  /** A proxy says whom it speaks for: peer, networks and log follow. `undefined` takes everything back that it said. */
  speaksFor(client: { readonly peer: Endpoint; readonly local?: Endpoint } | undefined): void
  /**
   * A session for one of several things that the client does at the same time (the streams of HTTP/2): the same to everybody
   * who is told of it, with a signal, a record, hops and a client that is spoken for of its own. Nothing is read or written by
   * its leg. Whoever forks it aborts its signal, and lets the whole session's record {@link SessionRecord.absorb} its own.
   */
  fork(): Session
  /** The node is leaving: finish politely. */
  readonly draining: boolean
  /** One slot: told once when draining begins. */
  onDrain: (() => void) | undefined
}

/** Whoever asks where a mailbox is to be reached: a session, or the sender of one datagram. */
export type Asking = Pick<Session, 'id' | 'protocol' | 'networks' | 'services' | 'signal' | 'record' | 'hops'>

/** One datagram of a client, for as long as it takes to answer it. Its signal is aborted with its time, and when the node ends. */
export interface DatagramExchange extends Asking {
  readonly listener: ListenerFacts
  readonly bytes: Buffer
  readonly peer: Endpoint
  /** The node is leaving. */
  readonly draining: boolean
  /** Sends a datagram to the address that this one came from, and to no other; to its port unless told another one. */
  reply(bytes: Uint8Array, port?: number): void
}

/** How a session ended: a closed word for its log line. */
export type Ended =
  | 'logout'
  | 'client-closed'
  | 'backend-closed'
  | 'relay-ended'
  | 'refused'
  | 'too-many-failures'
  | 'too-many-errors'
  | 'idle'
  | 'deadline'
  | 'draining'
  | 'tls-failed'
  | 'not-this-protocol'
  | 'plaintext-behind-starttls'
  | 'server-bug'
