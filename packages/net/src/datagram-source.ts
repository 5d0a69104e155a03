// SPDX-License-Identifier: MIT
import { isIPv4 } from 'node:net'
import type { Endpoint } from '@portico/base'

/**
 * Ports of services that answer whatever comes: who writes to them in our name would set the two of us talking for ever (echo,
 * daytime, qotd, chargen, time), or has them answer a victim with far more than was asked (DNS, TFTP, NTP, NetBIOS, SNMP, CLDAP,
 * SSDP, mDNS, memcached). 0 is no port.
 */
const UNANSWERED: ReadonlySet<number> = new Set([
  0, 7, 13, 17, 19, 37, 53, 69, 111, 123, 137, 138, 161, 389, 1900, 5353, 11211,
])

/** Whether a datagram may be sent there in answer to one: to one host, at a port where somebody may ask from. */
export function isAnswerable({ address, port }: Endpoint): boolean {
  return !UNANSWERED.has(port) && (isIPv4(address) ? isHostV4(address) : isHostV6(address))
}

/** No "this network" (RFC 1122 section 3.2.1.3), multicast (RFC 5771), reserved or broadcast address. */
function isHostV4(address: string): boolean {
  const first = Number(address.slice(0, address.indexOf('.')))
  return first > 0 && first < 224
}

/** Neither multicast nor unspecified (RFC 4291 sections 2.5.2 and 2.7). */
function isHostV6(address: string): boolean {
  return !/^ff/i.test(address) && address !== '::'
}
