// SPDX-License-Identifier: MIT
import { BlockList, isIP } from 'node:net'
import { unmapped } from './endpoint.js'

/** A set of CIDR blocks that addresses can be tested against. */
export interface Networks {
  readonly cidrs: readonly string[]
  contains(address: string): boolean
}

/** Builds a set from CIDRs or single addresses. Throws `TypeError` naming the text that is neither. */
export function networksOf(cidrs: readonly string[]): Networks {
  const list = new BlockList()
  for (const cidr of cidrs) addTo(list, cidr)
  return {
    cidrs,
    contains(address) {
      const plain = unmapped(address)
      const family = isIP(plain)
      return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

function addTo(list: BlockList, cidr: string): void {
  const [address = '', bits, ...rest] = cidr.split('/')
  const family = isIP(address)
  const width = family === 4 ? 32 : 128
  const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  if (family === 0 || rest.length > 0 || !(prefix <= width))
    throw new TypeError(`not an address or CIDR block: ${cidr}`)
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
}

/** The loopback blocks of both families (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3). */
export const LOOPBACK: Networks = networksOf(['127.0.0.0/8', '::1'])
