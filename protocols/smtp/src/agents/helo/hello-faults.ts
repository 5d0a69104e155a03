// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { networksOf } from '@portico/base'

/** What may be wrong with the name behind EHLO or HELO. */
export type HelloFault =
  | 'own-name'
  | 'bad-syntax'
  | 'bare-address'
  | 'no-dot'
  | 'foreign-literal'
  | 'unresolvable'
  | 'other-address'
  | 'no-reverse-name'
  | 'false-reverse-name'

/** What a name is held against. */
export interface HelloSite {
  /** Names that only we have, in lower case: our host's, and our mail domains. */
  readonly ownNames: ReadonlySet<string>
  /** The address that the client has connected to; undefined where that is none. */
  readonly ownAddress: string | undefined
  /** The client's address; undefined where it has none. */
  readonly client: string | undefined
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const LONGEST_NAME = 253

/**
 * What is wrong with a name by itself, without asking anybody: all its faults, in the order of {@link HelloFault}. `name` has passed
 * the grammar of the command, which is wider than that of names. Underscores are no fault: too many hosts have them.
 */
export function faultsOfName(name: string, site: HelloSite): readonly HelloFault[] {
  const plain = name.toLowerCase().replace(/\.$/, '')
  return plain.startsWith('[') ? faultsOfLiteral(plain, site) : faultsOfDomain(plain, site)
}

/** RFC 5321 section 4.1.3. */
function faultsOfLiteral(literal: string, { ownAddress, client }: HelloSite): readonly HelloFault[] {
  const address = literalAddress(literal)
  if (address === undefined) return ['bad-syntax']
  if (client === undefined || isSame(address, client)) return []
  const isOurs = ownAddress !== undefined && isSame(address, ownAddress)
  return isOurs ? ['own-name', 'foreign-literal'] : ['foreign-literal']
}

function faultsOfDomain(domain: string, { ownNames, ownAddress, client }: HelloSite): readonly HelloFault[] {
  if (isIP(domain) !== 0) return ['bare-address']
  const labels = domain.split('.')
  const faults: HelloFault[] = []
  // What runs on our own host may well call itself as we do.
  const isOurHost = client === undefined || client === ownAddress
  if (!isOurHost && ownNames.has(domain)) faults.push('own-name')
  const isWritten = domain.length <= LONGEST_NAME && labels.every((label) => LABEL.test(label))
  // The last label of a name is never a number (RFC 3696 section 2): this is a mangled address.
  if (!isWritten || /^\d+$/.test(labels.at(-1) ?? '')) faults.push('bad-syntax')
  if (labels.length === 1) faults.push('no-dot')
  return faults
}

/** The address inside `[192.0.2.1]` or `[IPv6:2001:db8::1]`; undefined for what is neither. */
function literalAddress(literal: string): string | undefined {
  const inside = literal.slice(1, -1)
  if (isIP(inside) === 4) return inside
  const six = inside.startsWith('ipv6:') ? inside.slice(5) : ''
  return isIP(six) === 6 ? six : undefined
}

/** Whether two addresses are one, however they are written. */
function isSame(one: string, other: string): boolean {
  return isIP(other) !== 0 && networksOf([one]).contains(other)
}
