// SPDX-License-Identifier: MIT
import type { LegEnd } from './leg.js'

/** Limits of a relay: `idleMs` without an octet in either direction ends it; 0 is no limit. */
export interface RelayLimits {
  readonly idleMs: number
  /** How long both may stay silent after one of them has finished; 0 is no limit beside `idleMs`. */
  readonly halfClosedMs: number
}

/** How a relay ended, and which side ended first. */
export interface RelayEnd {
  readonly first: 'client' | 'backend' | 'both' | 'us'
  readonly client: LegEnd
  readonly backend: LegEnd
  readonly bytesToBackend: number
  readonly bytesToClient: number
}
