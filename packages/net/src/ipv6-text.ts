// SPDX-License-Identifier: MIT
import { unmapped } from '@portico/base'

/**
 * The one text of an address that somebody else has written (RFC 5952 section 4); IPv4-mapped ones become IPv4. It has to be an
 * address, without a zone.
 */
export function canonicalAddress(address: string): string {
  return address.includes(':') ? unmapped(formatV6(parseV6(address))) : address
}

/** The recommended text form (RFC 5952 section 4), with the dotted quad of IPv4-mapped addresses. */
export function formatV6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2))
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12, 16).join('.')}`
  }
  const { start, length } = longestZeros(groups)
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':')
  if (length < 2) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  groups.forEach((group, i) => {
    if (group !== 0) start = i + 1
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start }
  })
  return best
}

/** The 4 octets of a dotted quad. */
export function parseV4(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

/** The 16 octets of an IPv6 address in text (RFC 4291 section 2.2), without zone. */
export function parseV6(address: string): Buffer {
  const [plain = ''] = address.split('%')
  const [head = '', tail] = plain.split('::')
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => 0)
  const octets = Buffer.alloc(16)
  for (const [i, group] of [...before, ...zeros, ...after].slice(0, 8).entries()) octets.writeUInt16BE(group, i * 2)
  return octets
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const quad = parseV4(group)
    return [quad.readUInt16BE(0), quad.readUInt16BE(2)]
  })
}
