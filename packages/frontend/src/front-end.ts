// SPDX-License-Identifier: MIT
import type { Server } from 'node:net'
import type { Clock } from '@portico/base'
import type { Protocol } from '@portico/session'
import type { StateStore } from '@portico/state'
import type { Log, Metrics } from '@portico/telemetry'
import type { OtherProtocol } from './schema.js'

/** What a front end is made of. */
export interface FrontEndOptions {
  /** The configuration as a plain value: what the YAML file holds, secrets as Secret. Validated here. */
  readonly config: unknown
  /** Its listeners may use these protocols and no others. */
  readonly protocols: readonly Protocol<never>[]
  /** Protocols whose blocks and listeners the configuration may have although they are not hosted here. */
  readonly otherProtocols?: readonly OtherProtocol[]
  readonly clock?: Clock
  readonly log?: Log
  /** What is counted is counted here; nowhere when absent. */
  readonly metrics?: Metrics
  /** Shared with other processes; this process's own when absent. */
  readonly state?: StateStore
  /** Relative paths of the configuration start here; in the working directory when absent. */
  readonly directory?: string
  /** Reads a file that the configuration names (certificates, authorities); from the disk when absent. */
  readonly readText?: (path: string) => string
  /** Listening sockets that another process handed over, by listener key. Listeners without one bind for themselves. */
  readonly received?: ReadonlyMap<string, Server>
  /** 48 octets shared by all processes that serve the same listeners, so that TLS sessions resume in each of them. */
  readonly ticketKeys?: Buffer
}

/** A running front end. */
export interface FrontEnd extends AsyncDisposable {
  /** Where it listens: name, protocol, bound address and port. */
  readonly listeners: readonly BoundListener[]
  readonly sessions: number
  /** What of the configuration works, but not as far as a site may expect: a sentence each. */
  readonly warnings: readonly string[]
  /**
   * Validates, then swaps: new sessions use the new configuration, live ones go on, except that those of a listener that is gone
   * are drained. Rejects with `ConfigError`, or an error that names a listener that cannot be bound, and then changes nothing.
   * `received` as in {@link FrontEndOptions}.
   */
  reload(config: unknown, received?: ReadonlyMap<string, Server>): Promise<void>
  /** Stops accepting and lets sessions finish, at most for the configured drain time; what is left is then closed in order. */
  drain(): Promise<void>
  /** Ends everything now. */
  close(): Promise<void>
}

export interface BoundListener {
  readonly name: string
  readonly protocol: string
  readonly address: string
  readonly port: number
  /** Of a listener for datagrams. */
  readonly transport?: 'udp'
}
