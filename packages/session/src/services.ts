// SPDX-License-Identifier: MIT

import type { Authenticator } from '@portico/auth'
import type { Backend, Clock, ProtocolName } from '@portico/base'
import type { TimerWheel } from '@portico/net'
import type { BackendPool } from '@portico/pool'
import type { ComponentStates, Locator, Router } from '@portico/routing'
import type { StateStore } from '@portico/state'
import type { Log, Metrics } from '@portico/telemetry'
import type { Limits } from './limits.js'
import type { Publication } from './publication.js'

/** Everything a session may ask of the rest of Portico: interfaces, never drivers. One set per configuration generation. */
export interface Services {
  readonly authenticator: Authenticator
  readonly locator: Locator
  readonly router: Router
  readonly pool: BackendPool
  /** The configured backends of a protocol, of all groups. An endpoint that a lookup names is not among them. */
  backendsOf(protocol: ProtocolName): readonly Backend[]
  readonly state: StateStore
  /** The component states of this moment. */
  states(): ComponentStates
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly log: Log
  readonly metrics: Metrics
  readonly limits: Limits
  /** The name that greetings, Received fields and challenges carry. */
  readonly hostname: string
  /** What clients are told to use. */
  readonly publication: Publication
  /** 32 octets that all workers of a node have and nobody else: for what one of them writes and another has to write again. */
  readonly sharedKey: Uint8Array
  /** Disposes of something when this configuration is no longer used: what sessions share, made when the first of them needs it. */
  disposeWhenRetired(resource: Disposable): void
  /** Where a file is that the configuration names: relative to the configuration's own folder. */
  pathOf(path: string): string
}
