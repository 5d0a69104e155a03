// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { unmapped } from '@portico/base'
import { parseV4, parseV6 } from '@portico/net'

/** Octets of a name as people write it: 255 on the wire, less the length before the first label and that of the root (RFC 1035 section 2.3.4). */
const LONGEST_NAME = 253

/**
 * Letters, digits and inner hyphens (RFC 1123 section 2.1), `_` for names that are no hosts (RFC 8552), `+` and `=` for local parts
 * that a policy asks about (RFC 7208 section 7). Nothing that a resolver library could read as an escape.
 */
const LABEL = /^(?!-)[a-z0-9_+=-]{1,63}(?<!-)$/

/**
 * A name as it is asked for: in lower case, without the dot of the root, in A-labels (RFC 5891 section 4). Undefined for what is no
 * name, and for dotted quads and their like, whose last label is a number: no such name can exist (RFC 3696 section 2).
 */
export function askableName(text: string): string | undefined {
  // Nothing of this length becomes a name; a peer's word is not converted for nothing.
  if (text.length > 4 * LONGEST_NAME) return undefined
  const plain = text.endsWith('.') ? text.slice(0, -1) : text
  const name = (/[^\x00-\x7f]/.test(plain) ? domainToASCII(plain) : plain).toLowerCase()
  if (name.length > LONGEST_NAME) return undefined
  const labels = name.split('.')
  if (!labels.every((label) => LABEL.test(label))) return undefined
  return /^\d+$/.test(labels.at(-1) ?? '') ? undefined : name
}

/**
 * The labels of an address from its last part to its first: octets of IPv4 (RFC 5782 section 2.1), nibbles of IPv6 (section 2.4).
 * IPv4-mapped addresses count as IPv4. Undefined for what is no address.
 */
export function reversedLabels(address: string): string | undefined {
  const plain = unmapped(address)
  const family = isIP(plain)
  if (family === 0) return undefined
  if (family === 4) return parseV4(plain).reverse().join('.')
  return [...parseV6(plain).toString('hex')].reverse().join('.')
}

/** The name whose PTR records tell the names of an address (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: string): string | undefined {
  const labels = reversedLabels(address)
  return labels === undefined ? undefined : `${labels}.${unmapped(address).includes(':') ? 'ip6' : 'in-addr'}.arpa`
}
