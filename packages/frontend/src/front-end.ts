// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import type { Protocol } from '@portico/session'
import type { StateStore } from '@portico/state'
import type { Log } from '@portico/telemetry'

/** What a front end is made of. */
export interface FrontEndOptions {
  /** The configuration as a plain value: what the YAML file holds, secrets as Secret. Validated here. */
  readonly config: unknown
  /** Its listeners may use these protocols and no others. */
  readonly protocols: readonly Protocol<never>[]
  readonly clock?: Clock
  readonly log?: Log
  /** Shared with other processes; this process's own when absent. */
  readonly state?: StateStore
}

/** A running front end. */
export interface FrontEnd extends AsyncDisposable {
  /** Where it listens: name, protocol, bound address and port. */
  readonly listeners: readonly BoundListener[]
  readonly sessions: number
  /** Validates, then swaps: new sessions use the new configuration, live ones go on. Throws `ConfigError` and changes nothing. */
  reload(config: unknown): Promise<void>
  /** Stops accepting, lets sessions finish, at most for the configured drain time. */
  drain(): Promise<void>
  /** Ends everything now. */
  close(): Promise<void>
}

export interface BoundListener {
  readonly name: string
  readonly protocol: string
  readonly address: string
  readonly port: number
}
