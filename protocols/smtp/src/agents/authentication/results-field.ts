// SPDX-License-Identifier: MIT
import { trimBlanks } from './tag-list.js'

/** What another server has found out (RFC 8601 section 2.2), as far as it can be read. */
export interface ForeignResult {
  readonly method: string
  readonly result: string
  /** By their names in lower case. */
  readonly properties: ReadonlyMap<string, string>
}

/** Longer fields are not read: one of all methods and ten signatures has some 2,000 octets. */
const LONGEST_FIELD = 8 * 1024
const METHOD = /^([a-z0-9-]+)(?:\/\d+)?=([a-z0-9-]+)$/

/**
 * Reads the results of an Authentication-Results field or of one in a chain, whose first part is the name of the server, and the
 * instance before it in a chain. What is no result is left out.
 */
export function readResults(text: string): readonly ForeignResult[] {
  const plain = text.length > LONGEST_FIELD ? undefined : withoutComments(text)
  if (plain === undefined) return []
  return plain.split(';').flatMap((part) => {
    const [first = '', ...words] = trimBlanks(part).split(/[ \t]+/)
    const match = METHOD.exec(first.toLowerCase())
    if (match === null || match[1] === 'i') return []
    const [, method = '', result = ''] = match
    return [{ method, result, properties: propertiesOf(words) }]
  })
}

function propertiesOf(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    words.flatMap((word) => {
      const equals = word.indexOf('=')
      return equals < 1 ? [] : [[word.slice(0, equals).toLowerCase(), word.slice(equals + 1)] as const]
    }),
  )
}

/** Comments become a space, and so does all within quotes, where a semicolon would mean nothing. Undefined where one has no end. */
function withoutComments(text: string): string | undefined {
  let plain = ''
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const octet = text[at]
    if (octet === '\\') at += 1
    else if (quoted || (depth === 0 && octet === '"')) quoted = !(quoted && octet === '"')
    else if (octet === '(') depth += 1
    else if (octet === ')' && depth > 0) depth -= 1
    else if (depth === 0) plain += octet
    if (depth > 0 && plain.at(-1) !== ' ') plain += ' '
  }
  return depth > 0 || quoted ? undefined : plain
}
