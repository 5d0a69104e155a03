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
  /** From 0 up to 1, for the breaker's spread. */
  readonly random?: () => number
}

/** Milliseconds and counts. */
export interface PoolLimits {
  /** Time for connection, TLS and greeting together. */
  readonly connectMs: number
  /** Connections to one backend at a time, lent and idle. */
  readonly maxPerBackend: number
  /** How long to wait when all of them are lent. */
  readonly acquireMs: number
  /** How long an unlent connection is kept; one minute when absent, below what mail servers allow before they hang up. */
  readonly idleMs?: number
  /** Unlent connections that are kept per backend; 16 when absent. */
  readonly maxIdle?: number
  /** Failures to connect, one after another, that open the breaker; 5 when absent. */
  readonly breakerFailures?: number
  /** How long the breaker stays open at first, give or take a half; 2 seconds when absent. It doubles up to a minute. */
  readonly breakerMs?: number
}
