// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import type { Cancellation } from '@portico/base'
import type { DnsAnswer, DnsResolver, DnsType } from '../dns/dns-resolver.js'
import type { HelloFault } from './hello-faults.js'
import { addressesOf, holdsAddress } from './iprev.js'

/** `unknown`: the DNS did not answer. */
export type NameFound = Extract<HelloFault, 'unresolvable' | 'other-address'> | 'unknown' | undefined

/**
 * What is wrong with the name behind EHLO by the word of the DNS: that it has neither an address nor a mail server (RFC 5321 section
 * 2.3.5), or that the client's address is not among its own. Undefined where all is well, and for literals, which nobody is asked
 * about.
 */
export async function lookUpName(
  name: string,
  client: string,
  resolver: DnsResolver,
  signal: Cancellation,
): Promise<NameFound> {
  if (name.startsWith('[') || isIP(name) !== 0) return undefined
  const own = await addressesOf(name, client, resolver, signal)
  if (own.kind === 'failed') return 'unknown'
  if (holdsAddress(own, client)) return undefined
  if (own.kind === 'found') return 'other-address'
  for (const type of [isIP(client) === 6 ? 'A' : 'AAAA', 'MX'] as const) {
    const other: DnsAnswer<DnsType> = await resolver.ask(name, type, signal)
    if (other.kind === 'failed') return 'unknown'
    if (other.kind === 'found') return 'other-address'
  }
  return 'unresolvable'
}
