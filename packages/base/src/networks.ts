// SPDX-License-Identifier: MIT
import { BlockList, isIP } from 'node:net'
import { type Address, type Endpoint, unmapped } from './endpoint.js'

/** A set of CIDR blocks that addresses can be tested against. */
export interface Networks {
  readonly cidrs: readonly string[]
  contains(address: string): boolean
  /**
   * Prefix length of the narrowest block that holds the address; undefined when none does. One measure for both families: an
   * IPv4 block counts as its IPv4-mapped one, 96 more than its own (RFC 4291 section 2.5.5.2), so that it is narrower than any
   * IPv6 block around it.
   */
  widthOf(address: string): number | undefined
}

/** Builds a set from CIDRs or single addresses. Throws `TypeError` naming the text that is neither. */
export function networksOf(cidrs: readonly string[]): Networks {
  return new CidrNetworks(cidrs)
}

/** An IPv4 block: an address is in it when `(address & mask) === prefix`. */
interface Ipv4Block {
  readonly prefix: number
  readonly mask: number
  readonly width: number
}

interface AnyBlock {
  readonly list: BlockList
  readonly width: number
}

const MAPPED_BITS = 96

/**
 * Asked at every connection and every sign-in. A BlockList makes an object behind a native handle for each question, so IPv4 is
 * compared as numbers here, and only IPv6 goes there.
 */
class CidrNetworks implements Networks {
  readonly cidrs: readonly string[]
  /** The narrowest first, as the others. */
  readonly #ipv4: readonly Ipv4Block[]
  readonly #each: readonly AnyBlock[]
  readonly #all = new BlockList()
  /** An IPv6 block among them holds IPv4-mapped addresses, and with them IPv4 ones. */
  #mapped = false

  constructor(cidrs: readonly string[]) {
    this.cidrs = cidrs
    const ipv4: Ipv4Block[] = []
    const each = cidrs.map((cidr) => this.#add(cidr, ipv4))
    this.#ipv4 = ipv4.sort(byWidth)
    this.#each = each.sort(byWidth)
  }

  contains(address: string): boolean {
    const plain = unmapped(address)
    if (plain.includes(':')) return this.#hasIpv6(plain)
    const number = ipv4Number(plain)
    if (number === undefined) return false
    return this.#blockOf(number) !== undefined || (this.#mapped && this.#all.check(plain, 'ipv4'))
  }

  widthOf(address: string): number | undefined {
    const plain = unmapped(address)
    if (plain.includes(':')) return this.#hasIpv6(plain) ? this.#narrowest(plain, 'ipv6') : undefined
    const number = ipv4Number(plain)
    if (number === undefined) return undefined
    return this.#mapped ? this.#narrowest(plain, 'ipv4') : this.#blockOf(number)?.width
  }

  #hasIpv6(address: string): boolean {
    return isIP(address) === 6 && this.#all.check(address, 'ipv6')
  }

  #blockOf(number: number): Ipv4Block | undefined {
    for (const block of this.#ipv4) if ((number & block.mask) === block.prefix) return block
    return undefined
  }

  #narrowest(address: string, family: 'ipv4' | 'ipv6'): number | undefined {
    return this.#each.find(({ list }) => list.check(address, family))?.width
  }

  #add(cidr: string, ipv4: Ipv4Block[]): AnyBlock {
    const [address = '', bits, ...rest] = cidr.split('/')
    const family = isIP(address)
    const longest = family === 4 ? 32 : 128
    const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
    if (family === 0 || rest.length > 0 || !(length <= longest))
      throw new TypeError(`not an address or CIDR block: ${cidr}`)
    const list = new BlockList()
    for (const one of [list, this.#all]) one.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
    if (family === 6) {
      this.#mapped ||= length > MAPPED_BITS ? MAPPED.check(address, 'ipv6') : list.check(MAPPED_BASE, 'ipv6')
      return { list, width: length }
    }
    // A shift by 32 would shift by nothing.
    const mask = length === 0 ? 0 : -1 << (32 - length)
    const width = MAPPED_BITS + length
    ipv4.push({ prefix: (ipv4Number(address) ?? 0) & mask, mask, width })
    return { list, width }
  }
}

function byWidth(a: { readonly width: number }, b: { readonly width: number }): number {
  return b.width - a.width
}

/** Where IPv4-mapped addresses are (RFC 4291 section 2.5.5.2). */
const MAPPED_BASE = '::ffff:0:0'
const MAPPED = new BlockList()
MAPPED.addSubnet(MAPPED_BASE, MAPPED_BITS, 'ipv6')

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
const LOOPBACK: Networks = networksOf(['127.0.0.0/8', '::1'])

/**
 * Whether an end of a connection, an address to connect to or a host in a URL is certainly this machine: a Unix socket, a loopback
 * address, or the name `localhost`.
 */
export function isLoopback(where: Address | Endpoint | string): boolean {
  if (typeof where === 'string') return where === 'localhost' || LOOPBACK.contains(where.replace(/^\[(.*)\]$/, '$1'))
  if ('kind' in where) return where.kind === 'unix' || isLoopback(where.host)
  return where.family === 'unix' || LOOPBACK.contains(where.address)
}
