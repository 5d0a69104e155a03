// SPDX-License-Identifier: MIT
import { z } from '@portico/config'
import type { Mailbox } from '../address.js'
import { comparableDomain, DomainList } from '../message/domain-list.js'
import { linesOf } from './list-file.js'

/** What an entry looks like: `alice@example.org`, `example.org`, `*.example.org` for all domains below it, `alice@` at any domain. */
const ADDRESS_ENTRY = /^(?:[^\s@]+@(?:[^\s@*]+)?|(?:\*\.)?[^\s@*]+)$/

const EXPECTED = 'expected an address, a domain, *.domain, or a local part with @ behind it'

/** A list of addresses and domains. Case does not count, nor how a domain beyond ASCII is written. */
export class AddressList {
  readonly #addresses: ReadonlySet<string>
  readonly #domains: DomainList

  constructor(entries: readonly string[]) {
    const addresses = entries.filter((entry) => entry.includes('@'))
    this.#addresses = new Set(
      addresses.map((entry) => {
        const at = entry.lastIndexOf('@')
        return formOf(entry.slice(0, at), comparableDomain(entry.slice(at + 1)))
      }),
    )
    this.#domains = new DomainList(entries.filter((entry) => !entry.includes('@')))
  }

  holds({ local, domain }: Pick<Mailbox, 'local' | 'domain'>): boolean {
    const name = comparableDomain(domain)
    if (this.#addresses.has(formOf(local, name)) || this.#addresses.has(formOf(local, ''))) return true
    return this.#domains.of(name) !== undefined
  }
}

function formOf(local: string, domain: string): string {
  return `${local.toLowerCase()}@${domain}`
}

/** A setting that lists some. */
export const addressEntries = () => z.array(z.string().regex(ADDRESS_ENTRY, EXPECTED))

/** A setting that names those whom everybody may write to. */
export const exceptRecipients = () =>
  addressEntries().default(['postmaster@']).describe('Recipients whom everybody may write to (RFC 5321 section 4.5.1).')

/** Reads the list of a file: one entry a line; `#` and `;` begin comments at the start of a line or behind a space. Throws `TypeError` that names the line. */
export function parseAddressList(text: string): AddressList {
  // Either may be part of an address.
  const lines = linesOf(text, /(?:^|\s)[#;].*/)
  const fault = lines.find(({ line }) => !ADDRESS_ENTRY.test(line))
  if (fault !== undefined) throw new TypeError(`line ${fault.number}: ${EXPECTED}`)
  return new AddressList(lines.map(({ line }) => line))
}
