// SPDX-License-Identifier: MIT
import { isAnswering } from './autodiscover/answering.js'
import { directoryTable } from './directory/directories.js'
import type { WellKnown } from './directory/presets.js'
import type { HttpSettings } from './schema.js'

/** What programs look for by a name in the DNS before they ask for a path. */
export interface WebServices {
  /** Where the names under `/.well-known/` lead, with a slash at the end. */
  readonly wellKnown: ReadonlyMap<WellKnown, string>
  /** Autodiscover is there, whoever answers it. */
  readonly autodiscover: boolean
  /** Thunderbird's autoconfig is answered. */
  readonly autoconfig: boolean
}

/** Those that the directories give. */
export function webServices({ directories }: HttpSettings): WebServices {
  const { wellKnown } = directoryTable(directories)
  const places = [...wellKnown].map(
    ([path, place]) => [path.slice(path.lastIndexOf('/') + 1) as WellKnown, place] as const,
  )
  return {
    wellKnown: new Map(places),
    autodiscover: directories.some(({ preset }) => preset === 'autodiscover'),
    autoconfig: directories.some(isAnswering),
  }
}
