// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { type Cancellation, networksOf } from '@portico/base'
import { reverseName } from '../dns/dns-name.js'
import type { DnsAnswer, DnsResolver } from '../dns/dns-resolver.js'

/**
 * Whether an address has a name that leads back to it (RFC 8601 section 3): `pass` with that name, `fail` where no name of it does,
 * `permerror` where it has none, `temperror` where that could not be found out.
 */
export type Iprev =
  | { readonly result: 'pass'; readonly name: string }
  | { readonly result: 'fail' | 'permerror' | 'temperror' }

/** Names of one address that are followed: whoever owns it can write any number of them (RFC 8601 section 3). */
const MOST_NAMES = 5

export async function iprevOf(address: string, resolver: DnsResolver, signal: Cancellation): Promise<Iprev> {
  const question = reverseName(address)
  if (question === undefined) return { result: 'permerror' }
  const names = await resolver.ask(question, 'PTR', signal)
  if (names.kind !== 'found') return { result: names.kind === 'absent' ? 'permerror' : 'temperror' }
  let unknown = false
  for (const name of names.records.slice(0, MOST_NAMES)) {
    const answer = await addressesOf(name, address, resolver, signal)
    if (holdsAddress(answer, address)) return { result: 'pass', name }
    unknown ||= answer.kind === 'failed'
  }
  return { result: unknown ? 'temperror' : 'fail' }
}

/** Asks for the addresses of a name, of the family of one that is looked for among them. */
export function addressesOf(
  name: string,
  address: string,
  resolver: DnsResolver,
  signal: Cancellation,
): Promise<DnsAnswer<'A' | 'AAAA'>> {
  return resolver.ask(name, isIP(address) === 6 ? 'AAAA' : 'A', signal)
}

/** Whether an address is among those of an answer, however it is written there. */
export function holdsAddress(answer: DnsAnswer<'A' | 'AAAA'>, address: string): boolean {
  return answer.kind === 'found' && networksOf(answer.records.filter((one) => isIP(one) !== 0)).contains(address)
}
