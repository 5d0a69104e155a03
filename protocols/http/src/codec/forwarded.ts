// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { canonicalAddress } from '@portico/net'

/** One pair of a Forwarded element, or what stands between pairs and elements (RFC 7239 section 4). */
const PART = /[\t ]*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)")[\t ]*)?(;|,|$)/y
/** More elements than proxies anybody passes. */
const MOST_ELEMENTS = 64

/**
 * Whom each element of a Forwarded value (RFC 7239) speaks for, the farthest first: an IP address, or `unknown` for an element
 * that names none, or hides it (section 6.3). `undefined`: it cannot be read.
 */
export function readForwarded(value: string): string[] | undefined {
  const clients: string[] = []
  let client: string | undefined
  PART.lastIndex = 0
  for (;;) {
    const part = PART.exec(value)
    if (part === null || clients.length === MOST_ELEMENTS) return undefined
    const [, name, token, quoted, end] = part
    if (name?.toLowerCase() === 'for') {
      if (client !== undefined) return undefined
      client = addressOf(token ?? (quoted ?? '').replace(/\\(.)/g, '$1'))
    }
    if (end === ';') continue
    clients.push(client ?? 'unknown')
    client = undefined
    if (end === '') return clients
  }
}

/** The address of a node (RFC 7239 section 6), which may carry a port. A zone means something to its own host alone. */
function addressOf(node: string): string {
  const [, v6, v4] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[\w.-]+)?$/.exec(node) ?? []
  return v6 === undefined ? plainAddress(v4 ?? '', 4) : plainAddress(v6, 6)
}

function plainAddress(text: string, family: 4 | 6): string {
  return isIP(text) === family && !text.includes('%') ? canonicalAddress(text) : 'unknown'
}

/** What X-Forwarded-For says in the same terms; some who write it add the port. */
export function readForwardedFor(value: string): string[] {
  return value.split(',').map((entry) => {
    const node = entry.trim()
    return isIP(node) === 6 ? plainAddress(node, 6) : addressOf(node)
  })
}

/** A node as Forwarded writes it (RFC 7239 section 6). */
function formatNode(client: string): string {
  const family = isIP(client)
  if (family === 6) return `for="[${client}]"`
  return `for=${family === 4 ? client : 'unknown'}`
}

/**
 * A Forwarded value: each of `clients`, the farthest first, and with the last, who spoke to us, how that was. `host` is an
 * authority (RFC 9110 section 7.2).
 */
export function formatForwarded(clients: readonly string[], proto: 'http' | 'https', host: string | undefined): string {
  const hosted = host === undefined ? '' : `;host=${/^[\w.~-]+$/.test(host) ? host : `"${host}"`}`
  const chain = clients.length === 1 ? formatNode(clients[0] ?? '') : clients.map(formatNode).join(', ')
  return `${chain};proto=${proto}${hosted}`
}
