// SPDX-License-Identifier: MIT
import type { Locator } from '../locator.js'
import { type AddressLookup, createAuthHttpLocator } from './auth-http.js'
import { createHashLocator } from './hash.js'
import { createRuleLocator } from './rule.js'
import type { LocatorSettings } from './schema.js'
import { createUsersFileLocator, type UserDirectory } from './users-file.js'

/** What locators need of others. */
export interface LocatorDeps {
  /** The users file; a `users-file` locator without it knows only what the principal brings along. */
  readonly users?: UserDirectory
  /** Asks the lookup service of a source for a recipient; recipients are not found without it. */
  readonly addressLookup?: (source: string) => AddressLookup | undefined
}

/** Makes one locator from its settings. */
export function createLocator(settings: LocatorSettings, deps: LocatorDeps): Locator {
  switch (settings.type) {
    case 'users-file':
      return createUsersFileLocator(settings, deps.users ?? { lookup: () => undefined })
    case 'auth-http':
      return createAuthHttpLocator(settings, deps.addressLookup?.(settings.source))
    case 'rule':
      return createRuleLocator(settings)
    case 'hash':
      return createHashLocator(settings)
  }
}
