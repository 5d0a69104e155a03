// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'

/** What a record of each type says. */
export interface DnsRecords {
  /** A dotted quad. */
  readonly A: string
  /** An IPv6 address in text. */
  readonly AAAA: string
  /** The strings of one record joined (RFC 7208 section 3.3), one character for each octet. */
  readonly TXT: string
  /** A name without a dot behind it. */
  readonly PTR: string
  readonly MX: MxRecord
}

/** A mail server of a domain (RFC 5321 section 5.1); the lower preference is asked first. An empty name: it takes no mail (RFC 7505). */
export interface MxRecord {
  readonly exchange: string
  readonly preference: number
}

/** The types that can be asked for. */
export type DnsType = keyof DnsRecords

/**
 * Why there is no such record: `no-name` where the name does not exist (NXDOMAIN), `no-data` where it has records of other types only
 * (RFC 2308 section 2), `not-a-name` where it cannot be a name, and nobody was asked.
 */
export type DnsAbsence = 'no-name' | 'no-data' | 'not-a-name'

/**
 * Why it is not known: the server could not find out (`servfail`), would not (`refused`), said something that makes no sense
 * (`bad-answer`), was not reached (`unreachable`) or said nothing in time (`timeout`); too many questions are open already (`busy`);
 * nobody waits for the answer any more (`cancelled`).
 */
export type DnsFailure = 'servfail' | 'refused' | 'bad-answer' | 'unreachable' | 'timeout' | 'busy' | 'cancelled'

/** What came of a question. `found` has one record at least. */
export type DnsAnswer<T extends DnsType> =
  | { readonly kind: 'found'; readonly records: readonly DnsRecords[T][] }
  | { readonly kind: 'absent'; readonly why: DnsAbsence }
  | { readonly kind: 'failed'; readonly why: DnsFailure }

/** Puts questions to the name servers of the site. */
export interface DnsResolver {
  /**
   * What the DNS has of a type at a name; aliases are followed, search domains are not tried. Never rejects. The signal's slot stays
   * free, so that one signal can stand for many questions at a time.
   */
  ask<T extends DnsType>(name: string, type: T, signal: Cancellation): Promise<DnsAnswer<T>>
}
