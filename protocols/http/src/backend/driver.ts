// SPDX-License-Identifier: MIT
import type { BackendDriver } from '@portico/pool'

/** HTTP backends do not greet; a connection may serve anybody's next request once the last answer was read to its end. */
export const httpDriver: BackendDriver<undefined> = {
  protocol: 'http',
  reuse: 'per-request',
  prepare: async () => ({ kind: 'ready', greeting: undefined }),
}
