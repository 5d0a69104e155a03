// SPDX-License-Identifier: MIT
import { isAddress, type Locator } from '../locator.js'
import type { SettingsOf } from './schema.js'

/**
 * Finds everybody who has signed in, in one group; the router spreads them over its endpoints, each user always to the same one.
 * An address is found only in a listed domain: nobody vouches that strangers have mailboxes.
 */
export function createHashLocator(settings: SettingsOf<'hash'>): Locator {
  const domains = new Set(settings.domains)
  return {
    name: 'hash',
    async locate(who) {
      if (isAddress(who) && !domains.has(who.domain)) return { kind: 'none' }
      return { kind: 'found', location: { group: settings.group, source: 'hash' } }
    },
    async [Symbol.asyncDispose]() {},
  }
}
