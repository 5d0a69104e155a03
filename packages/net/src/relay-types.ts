// SPDX-License-Identifier: MIT
import type { LegEnd, Octets } from './leg.js'

/** Limits of a relay: `idleMs` without an octet in either direction ends it; 0 is no limit. */
export interface RelayLimits {
  readonly idleMs: number
  /** How long both may stay silent after one of them has finished. */
  readonly halfClosedMs: number
  /** How long the last octets may take to reach the client after we have stopped it. */
  readonly lingerMs: number
}

/** Looks on at what is relayed, before it is passed on. It costs every session what it does here, and may keep no view. */
export interface RelayObserver {
  toBackend(view: Octets): void
  toClient(view: Octets): void
}

/** How a relay ended, and which side ended first. */
export interface RelayEnd {
  readonly first: 'client' | 'backend' | 'both' | 'us'
  readonly client: LegEnd
  readonly backend: LegEnd
  readonly bytesToBackend: number
  readonly bytesToClient: number
}
