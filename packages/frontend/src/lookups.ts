// SPDX-License-Identifier: MIT
import {
  type CredentialSettings,
  type CredentialSource,
  createSource,
  createUsersFiles,
  isAuthHttpSource,
  type UsersFile,
} from '@portico/auth'
import { ConfigError } from '@portico/config'
import { type AddressLookup, chainLocators, createLocator, type Locator, type UserDirectory } from '@portico/routing'
import type { Lasting } from './generation.js'
import type { FrontEndSettings } from './schema.js'

/** Who proves, and where mailboxes lie: the two share files and services. */
export interface Lookups {
  readonly sources: readonly CredentialSource[]
  readonly locator: Locator
}

/** Opens what the configuration names. Throws {@link ConfigError} for a source that cannot be opened. */
export function openLookups(
  { credentials, location }: Pick<FrontEndSettings, 'credentials' | 'location'>,
  { clock, log, pathOf, hashThreads }: Pick<Lasting, 'clock' | 'log' | 'pathOf' | 'hashThreads'>,
): Lookups {
  const usersFiles = createUsersFiles({ clock, log })
  const files: UsersFile[] = []
  const sources = credentials.map((written, index) => {
    const settings = written.type === 'users-file' ? { ...written, path: pathOf(written.path) } : written
    try {
      if (settings.type === 'users-file') files.push(usersFiles.open(settings))
      return createSource(settings, { clock, log, usersFiles, hashThreads })
    } catch (cause) {
      throw unopened(settings, index, cause as Error)
    }
  })
  const users = directoryOf(files)
  const addressLookup = (name: string) => lookupOf(sources.find((source) => source.name === name))
  const locators = location.map((settings) =>
    createLocator(settings, { ...(users === undefined ? {} : { users }), addressLookup }),
  )
  return { sources, locator: chainLocators(locators) }
}

function unopened(settings: CredentialSettings, index: number, cause: Error): ConfigError {
  const expectation = `expected a source that can be opened: ${cause.message}`
  return new ConfigError([{ path: ['credentials', index, ...('path' in settings ? ['path'] : [])], expectation }], {
    cause,
  })
}

/** Several files are one directory: the first that has the name knows it, as in sign-in. */
function directoryOf(files: readonly UsersFile[]): UserDirectory | undefined {
  if (files.length === 0) return undefined
  return {
    lookup(name) {
      for (const file of files) {
        const found = file.lookup(name)
        if (found !== undefined) return found
      }
      return undefined
    },
  }
}

function lookupOf(source: CredentialSource | undefined): AddressLookup | undefined {
  if (source === undefined || !isAuthHttpSource(source)) return undefined
  return (address, signal) => source.lookupAddress(address, signal)
}
