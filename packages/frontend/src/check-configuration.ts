// SPDX-License-Identifier: MIT
import { createHashThreads } from '@portico/auth'
import { systemClock } from '@portico/base'
import type { Publication } from '@portico/session'
import { silentLog } from '@portico/telemetry'
import { filesOf } from './files.js'
import type { FrontEndOptions } from './front-end.js'
import { type CheckedConfig, checkedConfig } from './generation.js'
import { openLookups } from './lookups.js'
import { publicationOf } from './publication.js'

/**
 * Everything that can be said of a configuration without listening: its shape, the files that it names, and what cannot work
 * together. Rejects with `ConfigError`.
 */
export async function checkConfiguration(
  options: Pick<FrontEndOptions, 'config' | 'protocols' | 'otherProtocols' | 'directory' | 'readText'>,
): Promise<Pick<CheckedConfig, 'settings' | 'warnings'> & { readonly publication: Publication }> {
  const { config, protocols, otherProtocols = [] } = options
  const files = filesOf(options)
  const { settings, topology, warnings } = checkedConfig(config, { protocols, otherProtocols, ...files })
  await using hashThreads = createHashThreads()
  const lookups = openLookups(settings, { clock: systemClock, log: silentLog, pathOf: files.pathOf, hashThreads })
  await lookups.locator[Symbol.asyncDispose]()
  for (const source of lookups.sources) await source[Symbol.asyncDispose]()
  return { settings, warnings, publication: publicationOf(settings, topology, protocols) }
}
