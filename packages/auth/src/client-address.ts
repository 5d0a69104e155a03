// SPDX-License-Identifier: MIT
import { isIPv6 } from 'node:net'
import { type Endpoint, LOOPBACK } from '@portico/base'

/**
 * What counts as one client address: an IPv4 address, or the /64 of an IPv6 address, because a host may pick any address of its
 * own /64 (RFC 4291 section 2.5.1). All Unix sockets are one.
 */
export function addressBlock(peer: Endpoint): string {
  if (peer.family === 'unix') return 'unix'
  return isIPv6(peer.address) ? `${groups(peer.address).slice(0, 4).join(':')}::/64` : peer.address
}

/** The eight groups of an IPv6 address without leading zeros; a zone is dropped. */
function groups(address: string): readonly string[] {
  const [plain = ''] = address.toLowerCase().split('%')
  const [head = '', tail] = plain.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  return [...before, ...Array<string>(missing).fill('0'), ...after].map((group) => group.replace(/^0+(?=.)/, ''))
}

/** A Unix socket is as near as loopback. */
export function isLoopback(end: Endpoint): boolean {
  return end.family === 'unix' || LOOPBACK.contains(end.address)
}
