// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { SiteFacts } from '@portico/session'
import type { HttpSettings } from './schema.js'

/** A directory may send everybody to one group, which has to exist. */
export function httpProblems({ directories }: HttpSettings, { backendGroups }: SiteFacts): ConfigProblem[] {
  return directories.flatMap(({ group }, index) =>
    group === undefined || backendGroups.includes(group)
      ? []
      : [
          {
            path: ['http', 'directories', index, 'group'],
            expectation: `expected one of the groups ${backendGroups.join(', ')}`,
          },
        ],
  )
}
