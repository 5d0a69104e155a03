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
  return new CidrNetworks(cidrs)
}

/** An IPv4 block: an address is in it when `(address & mask) === prefix`. */
interface Ipv4Block {
  readonly prefix: number
  readonly mask: number
}

/**
 * Asked at every connection and every sign-in. A BlockList makes an object behind a native handle for each question, so IPv4 is
 * compared as numbers here, and only IPv6 goes there.
 */
class CidrNetworks implements Networks {
  readonly cidrs: readonly string[]
  readonly #ipv4: Ipv4Block[] = []
  readonly #all = new BlockList()
  /** An IPv6 block among them holds IPv4-mapped addresses, and with them IPv4 ones. */
  #mapped = false

  constructor(cidrs: readonly string[]) {
    this.cidrs = cidrs
    for (const cidr of cidrs) this.#add(cidr)
  }

  contains(address: string): boolean {
    const plain = unmapped(address)
    if (plain.includes(':')) return isIP(plain) === 6 && this.#all.check(plain, 'ipv6')
    const number = ipv4Number(plain)
    if (number === undefined) return false
    for (const { prefix, mask } of this.#ipv4) if ((number & mask) === prefix) return true
    return this.#mapped && this.#all.check(plain, 'ipv4')
  }

  #add(cidr: string): void {
    const [address = '', bits, ...rest] = cidr.split('/')
    const family = isIP(address)
    const width = family === 4 ? 32 : 128
    const length = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
    if (family === 0 || rest.length > 0 || !(length <= width))
      throw new TypeError(`not an address or CIDR block: ${cidr}`)
    this.#all.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
    if (family === 6) {
      this.#mapped ||= length > 96 ? MAPPED.check(address, 'ipv6') : holds(address, length, MAPPED_BASE)
      return
    }
    // A shift by 32 would shift by nothing.
    const mask = length === 0 ? 0 : -1 << (32 - length)
    this.#ipv4.push({ prefix: (ipv4Number(address) ?? 0) & mask, mask })
  }
}

/** Where IPv4-mapped addresses are (RFC 4291 section 2.5.5.2). */
const MAPPED_BASE = '::ffff:0:0'
const MAPPED = new BlockList()
MAPPED.addSubnet(MAPPED_BASE, 96, 'ipv6')

function holds(network: string, length: number, address: string): boolean {
  const list = new BlockList()
  list.addSubnet(network, length, 'ipv6')
  return list.check(address, 'ipv6')
}

const DOT = 0x2e
const ZERO = 0x30

/** The 32 bits of a dotted quad; `undefined` for anything else, leading zeros too, as node:net has it. */
function ipv4Number(text: string): number | undefined {
  let number = 0
  let octet = -1
  let dots = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === DOT) {
      if (octet < 0) return undefined
      number = (number << 8) | octet
      octet = -1
      dots += 1
      continue
    }
    const digit = code - ZERO
    if (digit < 0 || digit > 9 || octet === 0) return undefined
    octet = octet < 0 ? digit : octet * 10 + digit
    if (octet > 255) return undefined
  }
  return dots === 3 && octet >= 0 ? (number << 8) | octet : undefined
}

/** The loopback blocks of both families (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3). */
export const LOOPBACK: Networks = networksOf(['127.0.0.0/8', '::1'])
