// SPDX-License-Identifier: MIT
import { splitOutside, TOKEN } from './parse-text.js'

/** One header field: its full name in lower case, its value unfolded, one character for each octet. */
export interface Field {
  readonly name: string
  readonly value: string
}

/** What a head is. `fields` of a request are those that could be read, also where something else in it could not. */
export type Head =
  | {
      readonly kind: 'request'
      readonly method: string
      readonly uri: string
      /** As written: `SIP/2.0`. */
      readonly version: string
      readonly fields: readonly Field[]
      /** What is wrong with it, in words for its sender. */
      readonly fault: string | undefined
    }
  | { readonly kind: 'response' }
  | { readonly kind: 'garbage' }

/** One-letter names (RFC 3261 section 7.3.3 and the IANA registry). */
const COMPACT: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
])

/** Controls but HTAB: nothing that a server repeats may hold them. */
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/

/** Reads a head: everything before the empty line, which is not part of it, with one character for each octet. */
export function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n')
  if (/^SIP\//i.test(first)) return { kind: 'response' }
  const start = /^(\S{1,64})[ \t]+(\S(?:.*\S)?)[ \t]+(SIP\/\S{1,16})[ \t]*$/i.exec(first)
  if (start === null) return { kind: 'garbage' }
  const [, method = '', uri = '', version = ''] = start
  const { fields, fault } = readFields(lines)
  // Exactly one space parts its three words, and a URI has none (section 7.1).
  const strict = first === `${method} ${uri} ${version}` && /^[\x21-\x7e]+$/.test(uri) && TOKEN.test(method)
  return { kind: 'request', method, uri, version, fields, fault: strict ? fault : 'Malformed Request Line' }
}

function readFields(lines: readonly string[]): {
  readonly fields: readonly Field[]
  readonly fault: string | undefined
} {
  const fields: Field[] = []
  let fault: string | undefined
  for (const line of unfolded(lines)) {
    const match = /^([A-Za-z0-9.!%*_+`'~-]+)[ \t]*:[ \t]*(.*)$/s.exec(line)
    if (match === null || CONTROL.test(line)) {
      fault ??= 'Malformed Header Field'
      continue
    }
    const name = (match[1] ?? '').toLowerCase()
    fields.push({ name: COMPACT.get(name) ?? name, value: (match[2] ?? '').trimEnd() })
  }
  return { fields, fault }
}

/** A line that begins with white space goes on with the one before, as if all of that were one space (section 7.3.1). */
function unfolded(lines: readonly string[]): readonly string[] {
  const whole: string[][] = []
  for (const line of lines) {
    const last = whole.at(-1)
    if (/^[ \t]/.test(line) && last !== undefined) last.push(line.trim())
    else whole.push([line])
  }
  return whole.map((parts) => (parts.length === 1 ? (parts[0] ?? '') : parts.join(' ')))
}

/** All values of a field of which there may be several, each by itself; undefined when one cannot be read. */
export function valuesOf(fields: readonly Field[], name: string): readonly string[] | undefined {
  const values: string[] = []
  for (const field of fields) {
    if (field.name !== name) continue
    const parts = splitOutside(field.value, ',')
    if (parts === undefined) return undefined
    values.push(...parts)
  }
  return values
}

/** The only value of a field; `many` when there are several, undefined when there is none. */
export function onlyValue(fields: readonly Field[], name: string): { readonly value: string } | 'many' | undefined {
  const found = fields.filter((field) => field.name === name)
  if (found.length > 1) return 'many'
  return found[0]
}
