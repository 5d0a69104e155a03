// SPDX-License-Identifier: MIT
import { decodeRaw } from './decode-octets.js'

/** An address in a header field. */
export interface HeaderMailbox {
  /** Without quoting, decoded as UTF-8. */
  readonly local: string
  /** In lower case, decoded as UTF-8. */
  readonly domain: string
}

/** Of one field. Nobody writes as many people. */
const MOST_MAILBOXES = 1_000

const QUOTED = /"(?:[^"\\]|\\.)*"/sy
const PLAIN = /[^"(<>,;:]+/y

/**
 * The addresses of a field that lists mailboxes, perhaps in groups (RFC 5322 section 3.4), given unfolded, one character for each
 * octet. What is no address is left out; a display name is none, whatever it looks like. One pass, whatever the text is.
 */
export function headerMailboxes(text: string): readonly HeaderMailbox[] {
  const found: HeaderMailbox[] = []
  let bare = ''
  let angle: string | undefined
  let hasAngle = false
  for (const piece of pieces(text)) {
    if (angle !== undefined) {
      if (piece !== '>') angle += piece
      else {
        add(found, withoutRoute(angle))
        angle = undefined
      }
    } else if (piece === '<') {
      angle = ''
      hasAngle = true
    } else if (piece === ',' || piece === ';') {
      if (!hasAngle) add(found, bare)
      bare = ''
      hasAngle = false
    } else bare = piece === ':' ? '' : bare + piece
    if (found.length === MOST_MAILBOXES) return found
  }
  if (angle !== undefined) add(found, withoutRoute(angle))
  else if (!hasAngle) add(found, bare)
  return found
}

/**
 * Quoted strings, runs of plain text and single specials; comments are left out. A quote or a comment that is never closed is
 * nothing special, and nor are those behind it.
 */
function* pieces(text: string): Generator<string> {
  let isOpen = false
  for (let at = 0; at < text.length; ) {
    const special = text[at] as string
    const behind = special === '(' && !isOpen ? behindComment(text, at) : undefined
    if (behind !== undefined) {
      at = behind
      continue
    }
    const quoted: string | undefined = special === '"' && !isOpen ? matchAt(QUOTED, text, at) : undefined
    isOpen ||= special === '(' || (special === '"' && quoted === undefined)
    const piece: string = quoted ?? matchAt(PLAIN, text, at) ?? special
    yield piece
    at += piece.length
  }
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** Where a comment ends, which may hold others (RFC 5322 section 3.2.2); undefined where it does not. */
function behindComment(text: string, start: number): number | undefined {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]
    if (character === '\\') at += 1
    else if (character === '(') depth += 1
    else if (character === ')') {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return undefined
}

/** `@one,@two:user@three` is `user@three` (RFC 5322 section 4.4). */
function withoutRoute(path: string): string {
  return /^\s*@/.test(path) ? path.slice(path.indexOf(':') + 1) : path
}

function add(found: HeaderMailbox[], text: string): void {
  const at = text.lastIndexOf('@')
  if (at < 0) return
  const local = unquoted(text.slice(0, at).trim())
  const domain = decodeRaw(text.slice(at + 1).replace(/\s/g, ''))
    .toLowerCase()
    .replace(/\.$/, '')
  if (local !== '' && domain !== '') found.push({ local: decodeRaw(local), domain })
}

/** The obsolete syntax has white space around its dots (RFC 5322 section 4.4). */
function unquoted(local: string): string {
  if (!local.startsWith('"')) return local.replace(/\s/g, '')
  return local.slice(1, local.endsWith('"') ? -1 : undefined).replace(/\\(.)/gs, '$1')
}
