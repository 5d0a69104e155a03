// SPDX-License-Identifier: MIT
import type { LegEnd } from './leg.js'

/** Limits of a relay: `idleMs` without an octet in either direction ends it; 0 is no limit. */
export interface RelayLimits {
  readonly idleMs: number
  /** How long one side may go on after the other has finished. */
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
