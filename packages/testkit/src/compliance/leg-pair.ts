// SPDX-License-Identifier: MIT
import type { Leg } from '@portico/net'

/** Two legs that are the ends of one connection, both paused and without a reader. */
export interface LegPair extends AsyncDisposable {
  readonly client: Leg
  readonly server: Leg
}
