// SPDX-License-Identifier: MIT

/** A mailbox of an envelope path (RFC 5321 section 4.1.2). */
export interface Mailbox {
  /** As it goes into another path: quoting kept, source route removed. One character for each octet. */
  readonly text: string
  /** Local part without quoting, decoded as UTF-8. */
  readonly local: string
  /** Lower case, decoded as UTF-8; empty for a bare local part. */
  readonly domain: string
  /** Holds octets above 127: needs SMTPUTF8 (RFC 6531). */
  readonly international: boolean
}

/** A path and what stands behind it. */
export type ParsedPath =
  | { readonly kind: 'mailbox'; readonly mailbox: Mailbox; readonly rest: string }
  | { readonly kind: 'null'; readonly rest: string }
  | { readonly kind: 'bad' }

const ATEXT = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\x80-\\xff-]+"
const DOT_STRING = `${ATEXT}(?:\\.${ATEXT})*`
const QUOTED = '"(?:[ !#-\\[\\]-~\\x80-\\xff]|\\\\[ -~])*"'
const LABEL = '[A-Za-z0-9_\\x80-\\xff](?:[A-Za-z0-9_\\x80-\\xff-]*[A-Za-z0-9_\\x80-\\xff])?'
const DOMAIN = `(?:${LABEL}(?:\\.${LABEL})*\\.?|\\[[A-Za-z0-9:.-]+\\])`
const ROUTE = `(?:@${DOMAIN}(?:,@${DOMAIN})*:)?`
const PATH = new RegExp(`^<${ROUTE}(${DOT_STRING}|${QUOTED})(?:@(${DOMAIN}))?>`)

const MAX_PATH = 256
const MAX_LOCAL = 64
const MAX_DOMAIN = 255

/**
 * Reads `<mailbox>`, `<>` or `<@route:mailbox>` at the start of a text of one character per octet. A source route is taken and
 * ignored (RFC 5321 appendix C). Sizes are those of section 4.5.3.1.
 */
export function parsePath(text: string): ParsedPath {
  if (text.startsWith('<>')) return { kind: 'null', rest: text.slice(2) }
  const match = PATH.exec(text.slice(0, 1024))
  if (match === null) return { kind: 'bad' }
  const [whole, quotedLocal = '', writtenDomain = ''] = match
  if (quotedLocal.length > MAX_LOCAL || writtenDomain.length > MAX_DOMAIN) return { kind: 'bad' }
  const bare = writtenDomain === '' ? quotedLocal : `${quotedLocal}@${writtenDomain}`
  if (bare.length > MAX_PATH - 2) return { kind: 'bad' }
  const local = utf8(quotedLocal.startsWith('"') ? quotedLocal.slice(1, -1).replace(/\\(.)/g, '$1') : quotedLocal)
  const domain = utf8(writtenDomain)
  if (local === undefined || domain === undefined || local === '') return { kind: 'bad' }
  const mailbox = {
    text: bare,
    local,
    domain: domain.toLowerCase().replace(/\.$/, ''),
    international: /[\x80-\xff]/.test(bare),
  }
  return { kind: 'mailbox', mailbox, rest: text.slice(whole.length) }
}

/** Strictly decoded; undefined when the octets are not UTF-8. */
function utf8(octets: string): string | undefined {
  if (!/[\x80-\xff]/.test(octets)) return octets
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(octets, 'latin1'))
  } catch {
    return undefined
  }
}

/** The mailbox that an address of a setting names, in Unicode and without angle brackets; undefined for a text that is none. */
export function mailboxOf(text: string): Mailbox | undefined {
  const path = parsePath(`<${Buffer.from(text).toString('latin1')}>`)
  return path.kind === 'mailbox' && path.rest === '' ? path.mailbox : undefined
}

/** Local parts belong to their host (RFC 5321 section 2.4): what differs in case may be two. */
export function isSameMailbox(one: Mailbox, other: Mailbox): boolean {
  return one.local === other.local && one.domain === other.domain
}
