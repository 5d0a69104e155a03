// SPDX-License-Identifier: MIT

import type { BackendIdentity, ProtocolName } from '@portico/base'
import type { ConfigProblem, Schema } from '@portico/config'
import type { BackendDriver } from '@portico/pool'
import type { Ended, Session } from './session.js'

/** A protocol as the front end hosts it. Each folder under protocols/ exports one. */
export interface Protocol<S = unknown> {
  readonly name: ProtocolName
  /** ALPN ids (RFC 7301) of the protocol, most wanted first. */
  readonly alpn: readonly string[]
  /** Standard ports by TLS mode. */
  readonly ports: { readonly plain: number; readonly implicit: number }
  /** How its backends can be told who the user is; the site may ask for no other way. */
  readonly identities: readonly BackendIdentity['kind'][]
  /**
   * The protocol's own block at the top of the configuration, under its name; it yields the settings that the host hands back.
   * It must accept an absent block. Not `Schema<S>`: a host takes protocols of any settings.
   */
  readonly schema: Schema
  /** The protocol's own keys of an entry under `listeners`. */
  readonly listenerSchema: Schema
  /** What no single key shows to be wrong in the protocol's own settings; empty when all is well. */
  check?(settings: S, site: SiteFacts): readonly ConfigProblem[]
  /** How its backend connections are prepared and reused. */
  driver(settings: S): BackendDriver
  /**
   * Runs one session. The leg has passed PROXY and implicit TLS. Resolves when the conversation is over; the host destroys the
   * leg and writes the log line. A rejection is a bug: logged with its stack, it ends this session alone.
   */
  serve(session: Session, settings: S): Promise<Ended>
  /** Octets to send to a connection over a limit before it is closed; empty sends none. Never on implicit TLS. */
  readonly tooBusy: Uint8Array
}

/** What a protocol is told of the rest of the configuration when it checks its own part. */
export interface SiteFacts {
  /** The protocol's own listeners, with their place under `listeners`. */
  readonly listeners: readonly { readonly index: number; readonly options: unknown }[]
  readonly backendGroups: readonly string[]
}
