// SPDX-License-Identifier: MIT

/** A request target taken apart (RFC 9112 section 3.2). */
export type Target =
  | {
      readonly kind: 'path'
      /** In its one normal form: what is matched against directories is what is forwarded. */
      readonly path: string
      /** With its question mark; empty when there is none. */
      readonly query: string
      /** From the absolute form, which replaces the Host field (RFC 9112 section 3.2.2). */
      readonly authority: string | undefined
    }
  | { readonly kind: 'asterisk' }
  | { readonly kind: 'bad' }

const BAD: Target = { kind: 'bad' }

/** Nothing to normalise and nothing to suspect: segments that do not begin with a dot, no escapes, no parameters. */
const PLAIN_PATH = /^(?:\/[\w~!$&'()*+,=:@-][\w.~!$&'()*+,=:@-]*)*\/?$/
const PATH_CHARACTERS = /^[\w.~!$&'()*+,;=:@/%-]*$/
/** A host with an optional port (RFC 9110 section 7.2): no user information, no list, no white space. */
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::\d{1,5})?$/

/** Whether a Host field or the authority of an absolute form can be meant honestly. */
export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text)
}

/** Takes a request target apart. Every trick by which two servers could understand different paths is `bad`. */
export function readTarget(target: string): Target {
  if (target === '*') return { kind: 'asterisk' }
  if (target.startsWith('/')) return fromOrigin(target, undefined)
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target)
  if (absolute === null) return BAD
  const [, authority = '', rest = ''] = absolute
  if (!isAuthority(authority)) return BAD
  return fromOrigin(rest.startsWith('/') ? rest : `/${rest}`, authority)
}

function fromOrigin(target: string, authority: string | undefined): Target {
  const mark = target.indexOf('?')
  const raw = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark)
  if (query.includes('#')) return BAD
  const path = normalisePath(raw)
  return path === undefined ? BAD : { kind: 'path', path, query, authority }
}

/** A single or double dot as a segment, also where spaces, parameters or an escaped end of the path follow: some read `..;x` as `..`. */
const DOT_SEGMENT = /(?:^|\/|%2F)\.{1,2}(?:%20)*(?:(?:[;:]|%3[ABF]|%23)[^/]*)?(?:\/|%2F|$)/
/** Octets that are escaped twice. */
const TWICE_ESCAPED = /%25[0-9A-Fa-f]{2}/
/** More octets than a character needs (RFC 3629 section 3): `%C0%AE` is a dot for lenient readers of UTF-8. */
const OVERLONG = /%(?:C[01]|F[89A-F])%[89AB]|%E0%[89]|%F0%8/

/**
 * The normal form of an absolute path (RFC 3986 section 6.2.2): escapes of unreserved characters decoded, hexadecimal digits in
 * upper case, runs of slashes made one. An escaped slash stays one. `undefined` for dot segments in any spelling, backslashes and
 * control characters, doubly escaped octets, overlong UTF-8, and characters that a path cannot hold.
 */
export function normalisePath(path: string): string | undefined {
  if (PLAIN_PATH.test(path)) return path
  if (!path.startsWith('/') || path.startsWith('//') || !PATH_CHARACTERS.test(path)) return undefined
  const decoded = decodeUnreserved(path)
  if (decoded === undefined) return undefined
  const single = decoded.replace(/\/{2,}/g, '/')
  return DOT_SEGMENT.test(single) ? undefined : single
}

function decodeUnreserved(path: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return undefined
  let forbidden = false
  const decoded = path.replace(/%([0-9A-Fa-f]{2})/g, (escaped, digits: string) => {
    const octet = Number.parseInt(digits, 16)
    if (octet < 0x20 || octet === 0x7f || octet === 0x5c) forbidden = true
    const character = String.fromCharCode(octet)
    return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase()
  })
  // Looked for after decoding, or `%25%32%65` would come out as an escaped dot.
  return forbidden || TWICE_ESCAPED.test(decoded) || OVERLONG.test(decoded) ? undefined : decoded
}

/**
 * A path in normal form as the most lenient servers would read it: parameters, names of streams (`:$DATA`), dots and spaces cut off each
 * segment, every escape decoded. They do not agree on the order: what is cut off first takes escaped slashes with it, and an escaped
 * `?` or `#` ends the path for one and is a character like others for another. None where all that makes no difference.
 */
export function looselyRead(path: string): readonly string[] {
  if (!/[%;]|\.(?:\/|$)|:\$/.test(path)) return []
  const cut = withBareNames(path)
  if (!path.includes('%')) return [cut]
  return [cut, ...[path, cut].flatMap((each) => endsOf(unescaped(each))).map(withBareNames)]
}

function unescaped(path: string): string {
  return path.replace(/%([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** The path as a whole, and up to where a query or a fragment would begin. */
function endsOf(path: string): readonly string[] {
  const end = path.search(/[?#]/)
  return end < 0 ? [path] : [path, path.slice(0, end)]
}

function withBareNames(path: string): string {
  return path
    .split('/')
    .map(bareName)
    .join('/')
    .replace(/\/{2,}/g, '/')
}

/** A segment without what is cut off. Octet by octet at its end: an expression would look at a run of dots from each of them. */
function bareName(segment: string): string {
  const cut = segment.search(/;|::?\$/)
  let end = cut < 0 ? segment.length : cut
  while (end > 0 && '. '.includes(segment.charAt(end - 1))) end -= 1
  return segment.slice(0, end)
}
