// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { DnsResolver } from '../dns/dns-resolver.js'
import { type DmarcRecord, pickRecord } from './dmarc-record.js'

/** A domain with its record. */
export interface PlacedRecord {
  readonly domain: string
  readonly record: DmarcRecord
}

/**
 * What the DNS says of a domain: the domain of the organization that it belongs to, and the records on the way there, its own first.
 * `away`: nobody knows for now.
 */
export type Organization =
  | { readonly kind: 'known'; readonly organization: string; readonly records: readonly PlacedRecord[] }
  | { readonly kind: 'away' }

/** RFC 9989 section 4.10: names with more labels are asked for once, and then for so many of their last ones. */
const MOST_LABELS = 7

/**
 * Walks up from a domain through the records of the domains above (RFC 9989 section 4.10). What was asked for once is not asked for
 * again. One for each message.
 */
export class DmarcDomains {
  readonly #resolver: DnsResolver
  readonly #signal: Cancellation
  readonly #asked = new Map<string, Promise<DmarcRecord | 'away' | undefined>>()

  constructor(resolver: DnsResolver, signal: Cancellation) {
    this.#resolver = resolver
    this.#signal = signal
  }

  /** Never rejects. */
  async organizationOf(domain: string): Promise<Organization> {
    const records: PlacedRecord[] = []
    for (const name of namesAbove(domain)) {
      const record = await this.#recordOf(name)
      if (record === 'away') return { kind: 'away' }
      if (record === undefined) continue
      records.push({ domain: name, record })
      if (record.publicSuffix !== 'u') break
    }
    return { kind: 'known', organization: organizationAmong(domain, records), records }
  }

  /** Whether a name does not exist at all; false where nobody knows. Never rejects. */
  async isMissing(domain: string): Promise<boolean> {
    const answer = await this.#resolver.ask(domain, 'A', this.#signal)
    return answer.kind === 'absent' && answer.why === 'no-name'
  }

  #recordOf(name: string): Promise<DmarcRecord | 'away' | undefined> {
    const asked = this.#asked.get(name) ?? this.#ask(name)
    this.#asked.set(name, asked)
    return asked
  }

  async #ask(name: string): Promise<DmarcRecord | 'away' | undefined> {
    const answer = await this.#resolver.ask(`_dmarc.${name}`, 'TXT', this.#signal)
    if (answer.kind === 'failed') return 'away'
    return answer.kind === 'absent' ? undefined : pickRecord(answer.records)
  }
}

/** A domain and those above it that are asked for. */
export function namesAbove(domain: string): readonly string[] {
  const labels = domain.split('.')
  const above = labels.slice(Math.max(1, labels.length - MOST_LABELS))
  return [domain, ...above.map((_label, index) => above.slice(index).join('.'))]
}

/** RFC 9989 section 4.10.2. */
function organizationAmong(domain: string, records: readonly PlacedRecord[]): string {
  for (const { domain: name, record } of records) {
    if (record.publicSuffix === 'n') return name
    if (record.publicSuffix === 'y' && name !== domain) return oneBelow(domain, name)
  }
  return records.at(-1)?.domain ?? domain
}

/** The domain one label below `suffix`, on the way to `domain`. */
function oneBelow(domain: string, suffix: string): string {
  return domain
    .split('.')
    .slice(-(suffix.split('.').length + 1))
    .join('.')
}
