// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'

/** The `state` block: where counters, bans and leases are kept. */
export const stateSchema = z
  .strictObject({
    type: z
      .enum(['memory', 'supervisor'])
      .default('memory')
      .describe('memory: of one process. supervisor: shared by the workers of one host.'),
  })
  .prefault({})

export type StateSettings = Settings<typeof stateSchema>

const REACHES_OTHER_HOSTS: Readonly<Record<StateSettings['type'], boolean>> = { memory: false, supervisor: false }

/** Whether processes of several hosts share what is kept. */
export function reachesOtherHosts({ type }: StateSettings): boolean {
  return REACHES_OTHER_HOSTS[type]
}
