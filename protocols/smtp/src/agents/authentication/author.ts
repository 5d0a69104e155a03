// SPDX-License-Identifier: MIT
import { decodeWords } from '../../content/encoded-words.js'
import type { HeaderFields } from '../../message/header-fields.js'
import { addressesOf } from '../../rules/address.js'
import { domainOf, isWithin } from './domains.js'

/**
 * Whose message it says it is: the domains of From (RFC 5322 section 3.6.2), each once. `none`: it names no domain, as a group does.
 * `bad`: there is no such field, more than one, or one in which readers would find different authors (RFC 7489 section 6.6.1).
 */
export type Author =
  | { readonly kind: 'domains'; readonly domains: readonly [string, ...string[]] }
  | { readonly kind: 'none' }
  | { readonly kind: 'bad'; readonly why: string }

/** Octets of From: with a hundred authors it has some thousands. */
const LONGEST_FROM = 8 * 1024
/** Each is asked for in the DNS. */
const MOST_DOMAINS = 5
/** Nobody's domain (RFC 5321 section 4.1.3). */
const ADDRESS_LITERAL = /^\[[\d.]+\]$/
const IPV6_LITERAL = /@\[IPv6:[\da-f:.]{2,45}\]/gi

export function authorOf(fields: HeaderFields): Author {
  const [field, ...others] = fields.list.filter(({ name }) => name === 'from')
  if (field === undefined) return bad('no From field')
  if (others.length > 0 || fields.tooMany) return bad('several From fields')
  const text = field.text()
  const addresses = text.length > LONGEST_FROM ? undefined : addressesIn(text)
  if (addresses === undefined) return bad('From cannot be read')
  // A name that looks like an address is shown as one where there is no other.
  if (addresses.length === 0 && decodeWords(text).includes('@')) return bad('From has no address')
  const named = addresses
    .map((address) => address.slice(address.lastIndexOf('@') + 1))
    .filter((name) => !ADDRESS_LITERAL.test(name))
  const domains = [...new Set(named.map(domainOf))]
  if (domains.includes(undefined)) return bad('From has no valid domain')
  if (domains.length > MOST_DOMAINS) return bad('From has too many domains')
  const [first, ...more] = domains.flatMap((domain) => domain ?? [])
  return first === undefined ? { kind: 'none' } : { kind: 'domains', domains: [first, ...more] }
}

/**
 * Some reader could take a message for one of a domain, or of one below it: where its author cannot be told, every mention in From
 * counts.
 */
export function mayBeOf(fields: HeaderFields, domain: string): boolean {
  const author = authorOf(fields)
  if (author.kind === 'domains') return author.domains.some((one) => isWithin(one, domain))
  if (author.kind === 'none') return false
  return fields.tooMany || fields.list.some((field) => field.name === 'from' && mentions(field.text(), domain))
}

function mentions(text: string, domain: string): boolean {
  const plain = text.toLowerCase()
  for (let at = plain.indexOf(domain); at !== -1; at = plain.indexOf(domain, at + 1))
    if (!/[a-z0-9-]/.test(plain.charAt(at - 1))) return true
  return addressesOf(text).some((address) => isWithin(address.domain, domain))
}

function bad(why: string): Author {
  return { kind: 'bad', why }
}

/**
 * The addresses of an address list (RFC 5322 section 3.4), without comments, quotes and display names; a group's members count, too.
 * Stricter than what rules look through: a verdict about one author is worth nothing where people are shown another.
 * Words without an address are a name with a comma in it. Undefined where something is not closed, or stands where only some readers
 * would take it for an address.
 */
function addressesIn(text: string): readonly string[] | undefined {
  // Its colons are no ends of a group's name.
  const plain = withoutQuotes(text)?.replace(IPV6_LITERAL, '@[0.0.0.0]')
  if (plain === undefined) return undefined
  const addresses: string[] = []
  for (const part of plain.split(/[,;]/)) {
    const colon = part.lastIndexOf(':', part.includes('<') ? part.indexOf('<') : part.length)
    const address = addressIn(part.slice(colon + 1).trim())
    // Some readers take what stands in front of the colon for the address.
    if (address === undefined || part.slice(0, Math.max(colon, 0)).includes('@')) return undefined
    if (address !== '') addresses.push(address)
  }
  return addresses
}

/** The address of a member; '' where it is a name only, undefined where it is not clear which one it is. */
function addressIn(member: string): string | undefined {
  const open = member.indexOf('<')
  if (open === -1) {
    if (!member.includes('@')) return member.includes('>') ? undefined : ''
    return /^[^\s<>@]+@[^\s<>@]+$/.test(member) ? member : undefined
  }
  const address = member.slice(open + 1, -1)
  if (!member.endsWith('>')) return undefined
  return /^[^\s<>@]+@[^\s<>@]+$/.test(address) ? address : undefined
}

/** Comments become a space, quoted strings a quote, which is as good as any local part, but in no domain. */
function withoutQuotes(text: string): string | undefined {
  let plain = ''
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const octet = text[at] ?? ''
    if (octet === '\\' && (quoted || depth > 0)) at += 1
    else if (quoted) quoted = octet !== '"'
    else if (octet === '(') depth += 1
    else if (depth > 0) depth -= octet === ')' ? 1 : 0
    else if (octet === '"') {
      quoted = true
      plain += '"'
    } else plain += octet
    if (octet === '(' && depth === 1) plain += ' '
  }
  return depth > 0 || quoted ? undefined : plain
}
