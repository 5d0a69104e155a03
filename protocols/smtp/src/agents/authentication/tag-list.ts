// SPDX-License-Identifier: MIT

const TAG_NAME = /^[A-Za-z][A-Za-z0-9_]*$/
/** What a value may hold (RFC 6376 section 3.2); octets above 127 are UTF-8 (RFC 8616 section 4). */
const TAG_VALUE = /^[\t !-:<-~\x80-\xff]*$/

/** Name and value of each tag, white space around both removed. */
export type TagList = ReadonlyMap<string, string>

/**
 * Reads `a=b; c=d` (RFC 6376 section 3.2), as signatures, keys and DMARC records are written, from an unfolded text of one character
 * per octet. Undefined for what is no such list, and where a tag comes twice, of which each reader would choose another.
 */
export function parseTagList(text: string): TagList | undefined {
  const tags = new Map<string, string>()
  const specs = text.split(';')
  if (trimBlanks(specs.at(-1) ?? '') === '') specs.pop()
  for (const spec of specs) {
    const equals = spec.indexOf('=')
    const name = trimBlanks(spec.slice(0, Math.max(equals, 0)))
    const value = trimBlanks(spec.slice(equals + 1))
    if (!TAG_NAME.test(name) || !TAG_VALUE.test(value) || tags.has(name)) return undefined
    tags.set(name, value)
  }
  return tags
}

/** The words between colons, in lower case, without white space. */
export function wordsOf(list: string): readonly string[] {
  return withoutBlanks(list).toLowerCase().split(':')
}

/** Base64 and lists may be folded anywhere. */
export function withoutBlanks(text: string): string {
  return text.replace(/[ \t\r\n]/g, '')
}

/** A loop, since an expression that looks for white space at an end starts anew at each blank of a long run. */
export function trimBlanks(text: string): string {
  let [from, to] = [0, text.length]
  while (from < to && isBlank(text.charCodeAt(from))) from += 1
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1
  return text.slice(from, to)
}

function isBlank(octet: number): boolean {
  return octet === 32 || octet === 9 || octet === 13 || octet === 10
}
