// SPDX-License-Identifier: MIT

/** A token of RFC 3261 section 25.1. */
export const TOKEN = /^[A-Za-z0-9.!%*_+`'~-]+$/

/** Parameters by lower-case name; `''` where one has no value. */
export type Parameters = ReadonlyMap<string, string>

/**
 * Cuts a value at a character where that stands outside of quoted strings and angle brackets (RFC 3261 section 7.3.1). Undefined
 * when a string or a bracket does not end.
 */
export function splitOutside(text: string, separator: ',' | ';'): readonly string[] | undefined {
  const parts: string[] = []
  let start = 0
  let quoted = false
  let angle = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (quoted) {
      if (character === '\\') at += 1
      else if (character === '"') quoted = false
    } else if (character === '"') quoted = true
    else if (character === '<' && !angle) angle = true
    else if (character === '>') angle = false
    else if (character === separator && !angle) {
      parts.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  if (quoted || angle) return undefined
  parts.push(text.slice(start).trim())
  return parts
}

/**
 * Reads `name`, `name=token` and `name="string"`; of a name that comes twice the first holds. Undefined for what is none of them.
 */
export function parseParameters(parts: readonly string[]): Parameters | undefined {
  const found = new Map<string, string>()
  for (const part of parts) {
    const equals = part.indexOf('=')
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase()
    const value = equals < 0 ? '' : part.slice(equals + 1).trim()
    if (!TOKEN.test(name) || (equals >= 0 && !isValue(value))) return undefined
    if (!found.has(name)) found.set(name, value)
  }
  return found
}

/** A token, a host (IPv6 addresses come with brackets or, in `received`, without) or a quoted string. */
function isValue(value: string): boolean {
  return /^[A-Za-z0-9.!%*_+`'~[\]:-]+$/.test(value) || isQuoted(value)
}

/** One quoted string and nothing else. */
export function isQuoted(text: string): boolean {
  return /^"(?:[^"\\]|\\[\x00-\x7f])*"$/.test(text)
}
