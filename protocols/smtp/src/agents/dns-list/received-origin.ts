// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { type Networks, unmapped } from '@portico/base'
import type { HeaderFields } from '../../message/header-fields.js'
import { isPublic } from './public-address.js'

/** What servers repeat of the client's own words: Exim `helo=`, `ident=`; qmail `(HELO …)`. */
const CLIENTS_WORDS = /\b(?:helo|ident)=[^\s)]+|\(HELO\s[^)]*\)/gi
const ADDRESS = /\[(?:IPv6:)?([0-9a-f:.]{2,45})\]|\(([0-9a-f:.]{2,45})\)/gi
/** Characters of a field that are looked at. */
const LONGEST = 2_000

/**
 * The address from which a message came to the first server that is not trusted: Received fields are read from the top as long as
 * `trusted` servers have written them, which hold the client that brings the message. Undefined where none is said, or where a field
 * cannot be read: what stands below it may be anybody's word.
 */
export function originOf(fields: HeaderFields, trusted: Networks): string | undefined {
  for (const field of fields) {
    if (field.name !== 'received') continue
    const address = clientOf(field.text())
    if (address === undefined) return undefined
    if (!trusted.contains(address) && isPublic(address)) return address
  }
  return undefined
}

/**
 * Who gave a message to the server that wrote a Received field, as that server saw it. Undefined where it does not say. The `from`
 * clause (RFC 5321 section 4.4) has what the client called itself, and behind it what the server knew of it.
 */
export function clientOf(received: string): string | undefined {
  const words = received.slice(0, LONGEST).replace(/\s+/g, ' ')
  const end = words.search(/ by /i)
  if (end < 0 || !/^from /i.test(words)) return undefined
  const [name = '', ...rest] = words.slice('from '.length, end).split(' ')
  const comments = rest.join(' ')
  const seen = addressIn(comments.replace(CLIENTS_WORDS, ''))
  // Exim puts the address in front where it has no name for it, and where it has, what the client called itself.
  return seen ?? (comments === '' || /\bhelo=/i.test(comments) ? addressIn(name) : undefined)
}

/** The last one: a host name in front of it is the client's own affair. */
function addressIn(text: string): string | undefined {
  return [...text.matchAll(ADDRESS)]
    .map(([, bracketed, bare]) => unmapped(bracketed ?? bare ?? ''))
    .filter((address) => isIP(address) !== 0)
    .at(-1)
}
