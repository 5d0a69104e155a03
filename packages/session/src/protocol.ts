// SPDX-License-Identifier: MIT

import type { HttpScheme } from '@portico/auth'
import type { BackendIdentity, ProtocolName } from '@portico/base'
import type { ConfigProblem, Schema } from '@portico/config'
import type { BackendDriver } from '@portico/pool'
import type { DatagramExchange, Ended, ListenerFacts, Session } from './session.js'

/**
 * A protocol of backends alone (LMTP, RFC 2033, behind SMTP): a group may have a block for it as for any other, but there are no
 * listeners and no settings of it, and its component state is that of the protocol that delivers by it. Its block has identity
 * `none` unless it says otherwise: what a group asserts its users by says nothing of who sends them mail.
 */
export interface DeliveryProtocol {
  readonly name: ProtocolName
  /** How its backends can be told who the user is. */
  readonly identities: readonly BackendIdentity['kind'][]
}

/** A protocol as the front end hosts it. Each folder under protocols/ exports one. */
export interface Protocol<S = unknown> {
  readonly name: ProtocolName
  /** ALPN ids (RFC 7301) that its listeners take, most wanted first; empty: the extension is ignored. */
  alpn(settings: S): readonly string[]
  /** Standard ports by TLS mode; `clients` is that of people's programs without implicit TLS, where it is not `plain`. */
  readonly ports: { readonly plain: number; readonly implicit: number; readonly clients?: number }
  /** Whether people's programs may be told of one of its listeners; of all when absent. */
  isForClients?(
    settings: S,
    listener: Omit<SiteFacts['listeners'][number], 'index'> & { readonly port: number },
  ): boolean
  /** How its backends can be told who the user is; the site may ask for no other way. */
  readonly identities: readonly BackendIdentity['kind'][]
  /**
   * The protocol's own block at the top of the configuration, under its name; it yields the settings that the host hands back: one
   * object for each configuration, the same for its drivers and for all of its sessions.
   * It must accept an absent block. Not `Schema<S>`: a host takes protocols of any settings.
   */
  readonly schema: Schema
  /** The protocol's own keys of an entry under `listeners`. */
  readonly listenerSchema: Schema
  /** What no single key shows to be wrong in the protocol's own settings; empty when all is well. */
  check?(settings: S, site: SiteFacts): readonly ConfigProblem[]
  /** What works, but not as far as a site may expect: a sentence each, with the key that it is about. None when absent. */
  warnings?(settings: S, site: SiteFacts): readonly string[]
  /** Names of the components that its sessions look at beside the protocol's own; none when absent. */
  components?(settings: S): readonly string[]
  /** What only its backends speak, for what it delivers; nothing when absent. */
  readonly deliveries?: readonly DeliveryProtocol[]
  /** How its backend connections are prepared and reused: a driver for the protocol itself, and one for each of its deliveries. */
  drivers(settings: S): readonly BackendDriver[]
  /**
   * Runs one session. The leg has passed PROXY and implicit TLS. Resolves when the conversation is over; the host destroys the
   * leg and writes the log line. A rejection is a bug: logged with its stack, it ends this session alone.
   */
  serve(session: Session, settings: S): Promise<Ended>
  /**
   * Answers one datagram: its listeners may then have `transport: udp`. Whoever sends it may have written anybody's address
   * into it: no answer may be much longer than what is answered. Resolves when nothing more will be said; a rejection is a bug,
   * logged with its stack. Absent where the protocol has connections alone.
   */
  serveDatagram?(exchange: DatagramExchange, settings: S): Promise<void>
  /** Octets to send to a connection over a limit before it is closed; empty sends none. Never on implicit TLS. */
  readonly tooBusy: Uint8Array
}

/** What a protocol is told of the rest of the configuration when it checks its own part. */
export interface SiteFacts {
  /** The protocol's own listeners, with their place under `listeners`. */
  readonly listeners: readonly {
    readonly index: number
    readonly tls: ListenerFacts['tls']
    readonly plaintextPasswords: ListenerFacts['plaintextPasswords']
    readonly options: unknown
  }[]
  readonly backendGroups: readonly string[]
  /** Names of the configured networks. */
  readonly networks: readonly string[]
  /** Names of the SASL mechanisms that some client of the protocol could be offered. */
  readonly mechanisms: readonly string[]
  /** Schemes of HTTP that some credential source serves. */
  readonly schemes: readonly HttpScheme[]
  /** How the backends of the protocol are told who the user is, by the groups that have some. */
  readonly identities: ReadonlyMap<string, BackendIdentity['kind']>
  /** There are balancers, which may have taken the client's TLS off. */
  readonly balanced: boolean
  /** Processes of several hosts share what is kept under `state`. */
  readonly nodesShareState: boolean
  /** Clients are told of the protocol, by the site's word or by a listener. */
  readonly isToldOf: boolean
  /** Backends judge the passwords of those users whom no other credential source knows. */
  readonly partlyDeferred: boolean
  /** Where a file is that the configuration names. */
  pathOf(path: string): string
}
