// SPDX-License-Identifier: MIT

/** What a name that somebody signs in with says. */
export interface UserName {
  /** The account without its domain, as written. */
  readonly authcid: string
  /** What stood before `\` or `/`, or behind `@`, as written. */
  readonly domain?: string
  /** The mailbox that is to be opened instead of the account's own: an alias or a UPN, as written. */
  readonly targetMailbox?: string
}

/**
 * Reads the forms of user names: `alias`, `user@domain` (UPN), `domain\alias`, `domain/alias`, and with a mailbox of somebody else
 * `domain/user/mailbox` and `user@domain/mailbox` ([MS-OXIMAP4] section 2.2.2: delegate_spec "/" principal_spec). What is none of
 * these is one name as it stands.
 */
export function parseUserName(text: string): UserName {
  const backslash = text.indexOf('\\')
  if (backslash >= 0) return downLevel(text.slice(0, backslash), text.slice(backslash + 1)) ?? { authcid: text }
  const parts = text.split('/')
  const [first = '', second, third] = parts
  if (second === undefined) return parseUpn(text) ?? { authcid: text }
  return (parts.length === 2 ? ofTwo(first, second) : ofThree(parts, third)) ?? { authcid: text }
}

function ofTwo(first: string, second: string): UserName | undefined {
  const delegate = parseUpn(first)
  if (delegate === undefined) return downLevel(first, second)
  return isMailbox(second) ? { ...delegate, targetMailbox: second } : undefined
}

function ofThree(parts: readonly string[], mailbox: string | undefined): UserName | undefined {
  const [domain = '', user = ''] = parts
  const delegate = downLevel(domain, user)
  if (parts.length !== 3 || delegate === undefined || mailbox === undefined) return undefined
  return isMailbox(mailbox) ? { ...delegate, targetMailbox: mailbox } : undefined
}

function downLevel(domain: string, alias: string): UserName | undefined {
  return isWord(domain) && isWord(alias) ? { authcid: alias, domain } : undefined
}

function parseUpn(text: string): UserName | undefined {
  const [, authcid, domain] = /^([^@\\/]+)@([^@\\/]+)$/.exec(text) ?? []
  return authcid === undefined || domain === undefined ? undefined : { authcid, domain }
}

function isMailbox(text: string): boolean {
  return isWord(text) || parseUpn(text) !== undefined
}

function isWord(text: string): boolean {
  return /^[^@\\/]+$/.test(text)
}
