// SPDX-License-Identifier: MIT
import { domainToASCII } from 'node:url'
import type { HeaderEdits, HeaderField } from './header-fields.js'

/** What a header firewall takes out. */
export interface FirewallPolicy {
  /** `X-MS-Exchange-Organization-*` */
  readonly organization: boolean
  /** `X-MS-Exchange-Forest-*` */
  readonly forest: boolean
  /** `X-Portico-*` */
  readonly own: boolean
  /** Where a message has been: `Received`, `Resent-*` */
  readonly routing: boolean
  /** Our authserv-id: results that claim to be ours are forged (RFC 8601 section 5). Undefined: they stay. */
  readonly forgedResultsOf: string | undefined
}

const PREFIXES = {
  organization: 'x-ms-exchange-organization-',
  forest: 'x-ms-exchange-forest-',
  own: 'x-portico-',
  routing: 'resent-',
} as const

/**
 * Says which fields a policy takes out: those, too, that only a lenient reader would take for a forbidden one, with white space,
 * 8-bit octets or control characters in their names. It can judge only what readers agree on: a section that is faulty has to be
 * refused. ARC-Authentication-Results stay, although they may name us: they are under a seal that tells forged ones, and the
 * seals of others would break without them (RFC 8617 section 4.1).
 */
export function headerFirewall(policy: FirewallPolicy): NonNullable<HeaderEdits['remove']> {
  const prefixes = (['organization', 'forest', 'own', 'routing'] as const)
    .filter((kind) => policy[kind])
    .map((kind) => PREFIXES[kind])
  const ours = policy.forgedResultsOf === undefined ? undefined : canonical(policy.forgedResultsOf)
  return (field) => {
    const name = lenientName(field)
    if (name === '') return false
    if (prefixes.some((prefix) => name.startsWith(prefix))) return true
    if (policy.routing && name === 'received') return true
    return ours !== undefined && name === 'authentication-results' && claims(field.text(), ours)
  }
}

/** The name of a field, in lower case, or what a lenient reader could take for one; '' for lines that are no field to anybody. */
export function lenientName(field: Pick<HeaderField, 'name' | 'rawName'>): string {
  return field.name || field.rawName.replace(/[^!-~]+/g, '').toLowerCase()
}

/** No host name is longer, however it is written; to normalize what is takes time that grows with its square. */
const LONGEST_ID = 1_024

/** Results of an id that cannot be read could be taken for anybody's. */
function claims(results: string, ours: string): boolean {
  const id = authservId(results)
  return id === undefined || id.length > LONGEST_ID || canonical(id) === ours
}

/** `[CFWS] authserv-id` in front of version, results or end (RFC 8601 section 2.2); undefined when there is none. */
function authservId(results: string): string | undefined {
  const text = afterComments(results)
  const match = /^(?:"((?:[^"\\]|\\.)*)"|([^\s;()"]+))(?=[\s;(]|$)/.exec(text ?? '')
  return match?.[1]?.replace(/\\(.)/g, '$1') ?? match?.[2]
}

/** The text behind white space and nested comments; undefined when a comment has no end. */
function afterComments(text: string): string | undefined {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (depth > 0 && character === '\\') at += 1
    else if (character === '(') depth += 1
    else if (depth > 0 && character === ')') depth -= 1
    else if (depth === 0 && !/\s/.test(character)) return text.slice(at)
  }
  return depth === 0 ? '' : undefined
}

/** One form of all spellings of a host name, of one character for each octet; U-labels become A-labels (RFC 8616 section 3). */
function canonical(id: string): string {
  const name = id.replace(/[\0-\x20\x7f]+/g, '').replace(/\.+$/, '')
  const ascii = /[\x80-\xff]/.test(name) ? domainToASCII(Buffer.from(name, 'latin1').toString()) : name
  return (ascii === '' ? name : ascii).toLowerCase()
}
