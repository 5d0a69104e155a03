// SPDX-License-Identifier: MIT
import type { EmailAddress, MailboxLocation, Principal } from '@portico/base'
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

/** `*` stands for any run of characters, `?` for one. Its time is at most the product of both lengths, whatever the name is. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let mark = 0
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++
      mark = t
    } else if (pattern[p] === '?' || (p < pattern.length && pattern[p] === text[t])) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++mark
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
