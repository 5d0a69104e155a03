// SPDX-License-Identifier: MIT
import type { EmailAddress } from '@portico/base'
import { type Field, valuesOf } from './parse.js'
import { type NamedAddress, parseNamedAddress } from './parse-address.js'
import { escapeUser, type Phone, parsePhone, parseUri, type Uri } from './parse-uri.js'

/** What of the settings says where mailboxes lie. */
export interface MailboxRules {
  /** Lower case. */
  readonly domains: readonly string[]
  /** Names and addresses under which this server itself is called; lower case. */
  readonly hosts: readonly string[]
  readonly mailboxFrom: readonly ('diversion' | 'history-info')[]
}

/** A mailbox that is called. */
export interface Target {
  readonly mailbox: EmailAddress
  /** The user part of the new URI, and what follows it there. */
  readonly user: string
  readonly isPhone: boolean
}

/** Whether a URI names nobody: a request for the server itself. */
export function isForServer(uri: Uri): boolean {
  return uri.kind === 'sip' && uri.user === ''
}

/**
 * The mailbox that a request is for: of somebody who diverted the call, where the site believes the sender, else of the
 * Request-URI. Undefined when it is for none of ours.
 */
export function targetOf(
  uri: Uri,
  fields: readonly Field[],
  rules: MailboxRules,
  trusted: boolean,
): Target | undefined {
  const called = targetOfUri(uri, rules)
  const diverted = trusted ? divertedFrom(fields, rules) : undefined
  if (diverted === undefined) return called
  // The call goes on to the number that it was diverted to: the voice server sees by whom, as it was seen here.
  const user = uri.kind === 'sip' ? uri.user : ''
  return user === '' ? diverted : { mailbox: diverted.mailbox, user: escapeUser(user), isPhone: isPhoneUri(uri) }
}

function isPhoneUri(uri: Uri): boolean {
  return uri.kind === 'sip' && uri.isPhone
}

function targetOfUri(uri: Uri, rules: MailboxRules): Target | undefined {
  if (uri.kind === 'tel') return targetOfPhone(uri.number, rules.domains[0], rules)
  if (uri.kind !== 'sip' || uri.user === '') return undefined
  const domain = domainOf(uri.host, rules)
  if (domain === undefined) return undefined
  const number = uri.isPhone || /^\+[0-9().-]+$/.test(uri.user) ? parsePhone(uri.user) : undefined
  if (number !== undefined) {
    const phone = targetOfPhone(number, domain, rules)
    return phone && { ...phone, user: escapeUser(uri.user), isPhone: uri.isPhone }
  }
  return uri.isPhone || !isLocalPart(uri.user)
    ? undefined
    : { mailbox: { kind: 'address', local: uri.user, domain }, user: escapeUser(uri.user), isPhone: false }
}

/** A local number is one of the domain that its context names; digits as a context say nothing of a domain (RFC 3966 section 5.1.5). */
function targetOfPhone(
  { digits, context }: Phone,
  domain: string | undefined,
  rules: MailboxRules,
): Target | undefined {
  const where = context === undefined ? domain : domainOf(context, rules)
  if (where === undefined) return undefined
  return { mailbox: { kind: 'address', local: digits, domain: where }, user: escapeUser(digits), isPhone: true }
}

function domainOf(host: string, { domains, hosts }: MailboxRules): string | undefined {
  const plain = host.replace(/\.$/, '')
  if (domains.includes(plain)) return plain
  return hosts.includes(plain) ? domains[0] : undefined
}

const LONGEST_LOCAL = 256

/** What may be asked for: no second `@`, which would name another domain, and nothing that is not text. */
function isLocalPart(user: string): boolean {
  return user.length <= LONGEST_LOCAL && !/[@\p{C}\p{Z}%]/u.test(user)
}

/** The last one who diverted the call to here and whose mailbox is one of ours. */
function divertedFrom(fields: readonly Field[], rules: MailboxRules): Target | undefined {
  for (const name of rules.mailboxFrom) {
    const uri = name === 'diversion' ? lastDiversion(fields) : lastMapped(fields)
    const parsed = uri === undefined ? undefined : parseUri(uri.replace(/\?.*$/s, ''))
    const target = parsed === undefined ? undefined : targetOfUri(parsed, rules)
    if (target !== undefined) return target
  }
  return undefined
}

/** The topmost is of the last diversion (RFC 5806 section 4). */
function lastDiversion(fields: readonly Field[]): string | undefined {
  return addressesOf(fields, 'diversion')[0]?.uri
}

/**
 * The entry that the last one marked `mp` was mapped from, which is whose call it was before it came to somebody else (RFC 7044
 * section 10.2); without such a mark the one before the last.
 */
function lastMapped(fields: readonly Field[]): string | undefined {
  const entries = addressesOf(fields, 'history-info')
  const mapped = entries.findLast(({ parameters }) => parameters.has('mp'))?.parameters.get('mp')
  const entry = mapped === undefined ? entries.at(-2) : entries.find((one) => one.parameters.get('index') === mapped)
  return entry?.uri
}

function addressesOf(fields: readonly Field[], name: string): readonly NamedAddress[] {
  return (valuesOf(fields, name) ?? []).flatMap((value) => parseNamedAddress(value) ?? [])
}
