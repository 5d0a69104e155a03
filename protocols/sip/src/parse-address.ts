// SPDX-License-Identifier: MIT
import { isQuoted, type Parameters, parseParameters, splitOutside, TOKEN } from './parse-text.js'

/** A value of From, To, Diversion and their like: `"Kim" <sip:kim@example.com>;tag=1` (RFC 3261 section 20.10). */
export interface NamedAddress {
  readonly uri: string
  /** Of the field, not of the URI. */
  readonly parameters: Parameters
}

/** Reads one; undefined for what is none. The URI is not looked into. */
export function parseNamedAddress(text: string): NamedAddress | undefined {
  const parts = splitOutside(text, ';')
  if (parts === undefined) return undefined
  const [address = '', ...rest] = parts
  const uri = uriOf(address)
  const parameters = parseParameters(rest)
  return uri === undefined || parameters === undefined ? undefined : { uri, parameters }
}

/** Without angle brackets every parameter belongs to the field, so that the URI may hold none of `;`, `?` and `,`. */
function uriOf(address: string): string | undefined {
  const open = openingOf(address)
  if (open < 0) return /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>",?]+$/.test(address) ? address : undefined
  const name = address.slice(0, open).trim()
  const uri = address.slice(open + 1, -1)
  const named = name === '' || isQuoted(name) || name.split(/[ \t]+/).every((word) => TOKEN.test(word))
  return named && address.endsWith('>') && /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/.test(uri) ? uri : undefined
}

/** Where the bracket opens, behind a quoted name that may hold others. */
function openingOf(address: string): number {
  const quoted = /^"(?:[^"\\]|\\.)*"/s.exec(address)?.[0].length ?? 0
  return address.indexOf('<', quoted)
}
