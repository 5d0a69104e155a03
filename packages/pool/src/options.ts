// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import type { connectLeg, TimerWheel } from '@portico/net'
import type { Log } from '@portico/telemetry'

/** What a pool is made of. */
export interface BackendPoolOptions {
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly log: Log
  readonly limits: PoolLimits
  /** Opens a plain connection; the network's own when absent. */
  readonly connect?: typeof connectLeg
  /** From 0 up to 1, to spread what would otherwise happen at one moment. */
  readonly random?: () => number
}

/** Milliseconds and counts. */
export interface PoolLimits {
  /** Time for connection, TLS and greeting together. */
  readonly connectMs: number
  /** Connections to one backend at a time, lent and idle, where its group does not say. */
  readonly maxPerBackend: number
  /** How long to wait when all of them are lent, where the group does not say. */
  readonly acquireMs: number
  /** How long a connection that has served somebody is kept for the next; one minute when absent. */
  readonly idleMs?: number
  /** Unlent connections that are kept per backend; 16 when absent. */
  readonly maxIdle?: number
  /** Failures to connect, one after another, that open the breaker; 5 when absent. */
  readonly breakerFailures?: number
  /** How many different clients must have seen them; 2 when absent. */
  readonly breakerClients?: number
  /** How long the breaker stays open at first, give or take a half; 2 seconds when absent. It doubles up to a minute. */
  readonly breakerMs?: number
}
