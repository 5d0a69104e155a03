// SPDX-License-Identifier: MIT
import { type EmailAddress, globMatches, type MailboxLocation, type Principal } from '@portico/base'
import { isAddress, type Locator } from '../locator.js'
import type { SettingsOf } from './schema.js'

/** Finds everybody whose name matches: a written rule instead of a directory. */
export function createRuleLocator(settings: SettingsOf<'rule'>): Locator {
  const { match, group, host } = settings
  const pattern = match.user?.toLowerCase()
  const location: MailboxLocation = { group, source: 'rule', ...(host === undefined ? {} : { host }) }
  return {
    name: 'rule',
    async locate(who) {
      const name = nameOf(who).toLowerCase()
      const inDomain = match.domain === undefined || match.domain.includes(domainOf(name))
      const matches = inDomain && (pattern === undefined || globMatches(pattern, name))
      return matches ? { kind: 'found', location } : { kind: 'none' }
    },
    async [Symbol.asyncDispose]() {},
  }
}

function nameOf(who: Principal | EmailAddress): string {
  if (!isAddress(who)) return who.user
  return who.domain === '' ? who.local : `${who.local}@${who.domain}`
}

/** What follows the last `@`; empty without one. */
export function domainOf(name: string): string {
  const at = name.lastIndexOf('@')
  return at < 0 ? '' : name.slice(at + 1)
}
