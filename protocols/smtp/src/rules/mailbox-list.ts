// SPDX-License-Identifier: MIT
import { domainToASCII } from 'node:url'
import { decodeRaw } from '../content/decode-octets.js'

/** An address of a header field or of the envelope. */
export interface Address {
  /** `local@domain`, decoded as UTF-8. */
  readonly text: string
  /** In lower case and with A-labels (RFC 5890 section 2.3.2.1). */
  readonly domain: string
}

/** Addresses beyond these are not read: nobody writes to so many at once, and each is compared with every value of a rule. */
const MOST_ADDRESSES = 1_000

/**
 * The addresses of a field such as From (RFC 5322 section 3.4) from its raw text, a character for each octet. As lenient as mail
 * programs are: display names, comments and groups go, routes too (section 4.4), and what has no `@` is no address.
 */
export function addressesOf(raw: string): readonly Address[] {
  const found: Address[] = []
  for (const piece of pieces(raw)) {
    const address = addressOf(decodeRaw(piece))
    if (address !== undefined) found.push(address)
    if (found.length === MOST_ADDRESSES) break
  }
  return found
}

/** The address that a text is; undefined where it is none. */
export function addressOf(text: string): Address | undefined {
  const at = text.lastIndexOf('@')
  if (at <= 0 || at === text.length - 1) return undefined
  return { text, domain: comparableDomain(text.slice(at + 1)) }
}

/** One form of all spellings of a domain. */
export function comparableDomain(domain: string): string {
  const name = domain.replace(/\.$/, '')
  const ascii = /^[\0-\x7f]*$/.test(name) ? name : domainToASCII(name)
  return (ascii === '' ? name : ascii).toLowerCase()
}

/** What stands in angle brackets, or for itself, between commas; without white space, comments, and the quotes of a local part. */
function pieces(raw: string): readonly string[] {
  const list: string[] = []
  let bare = ''
  let bracketed: string | undefined
  const next = () => {
    list.push(unquoted((bracketed ?? bare).replace(/^@[^:]*:/, '')))
    bare = ''
    bracketed = undefined
  }
  for (const [token] of withoutComments(raw).matchAll(TOKEN)) {
    if (token === ',' || token === ';') next()
    else if (token === ':') bare = ''
    else if (token.startsWith('<')) bracketed = token.replace(token.includes('"') ? /^<|>$/g : /^<|>$|\s/g, '')
    else bare += token
  }
  next()
  return list
}

/** A quoted string, a bracketed address, a separator, or a run of anything else. */
const TOKEN = /"(?:[^"\\]|\\.)*"?|<[^>]*>?|[,;:]|[^\s",;:<]+/g

function unquoted(address: string): string {
  return address.replace(/^"((?:[^"\\]|\\.)*)"(?=@)/, (_, local: string) => local.replace(/\\(.)/g, '$1'))
}

/** RFC 5322 section 3.2.2. Comments nest; one without an end is no comment. */
function withoutComments(raw: string): string {
  if (!raw.includes('(')) return raw
  let kept = ''
  let quoted = false
  let depth = 0
  for (let at = 0; at < raw.length; at += 1) {
    const character = raw.charAt(at)
    if (character === '\\') {
      if (depth === 0) kept += raw.slice(at, at + 2)
      at += 1
    } else if (depth > 0) depth += character === '(' ? 1 : character === ')' ? -1 : 0
    else if (character === '(' && !quoted) {
      depth = 1
      kept += ' '
    } else {
      if (character === '"') quoted = !quoted
      kept += character
    }
  }
  return depth > 0 ? raw : kept
}
