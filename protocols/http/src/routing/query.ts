// SPDX-License-Identifier: MIT
import { decodeText } from '../codec/text.js'

/**
 * The parameters of a query that are asked for, by their names in lower case; clients write them in any case. `undefined` when
 * one of them stands there twice, where two readers could take different ones, or when an escape is none.
 */
export function readParameters<N extends string>(
  query: string,
  names: readonly N[],
): Readonly<Partial<Record<N, string>>> | undefined {
  const found: Partial<Record<N, string>> = {}
  for (const part of query.replace(/^\?/, '').split('&')) {
    const equals = part.indexOf('=')
    const written = decodeEscapes(equals < 0 ? part : part.slice(0, equals))?.toLowerCase()
    if (written === undefined) return undefined
    const name = names.find((each) => each === written)
    if (name === undefined) continue
    const value = equals < 0 ? '' : decodeEscapes(part.slice(equals + 1))
    if (value === undefined || found[name] !== undefined) return undefined
    found[name] = value
  }
  return found
}

/**
 * Decodes percent-escapes (RFC 3986 section 2.1); a plus sign is one. What is not UTF-8 comes from old clients and is read as
 * latin1. `undefined` for half an escape and for control characters.
 */
export function decodeEscapes(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  const octets = text.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  const decoded = decodeText(Buffer.from(octets, 'latin1'))
  return /[\0-\x1f\x7f]/.test(decoded) ? undefined : decoded
}
