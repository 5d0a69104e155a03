// SPDX-License-Identifier: MIT
import { z } from '@portico/config'
import type { Mailbox } from '../address.js'
import { linesOf } from './list-file.js'

/** What an entry looks like: `alice@example.org`, `example.org`, `*.example.org` for all domains below it, `alice@` at any domain. */
const ADDRESS_ENTRY = /^(?:[^\s@]+@(?:[^\s@*]+)?|(?:\*\.)?[^\s@*]+)$/

const EXPECTED = 'expected an address, a domain, *.domain, or a local part with @ behind it'

/** A list of addresses and domains. Case does not count. */
export class AddressList {
  readonly #addresses = new Set<string>()
  readonly #domains = new Set<string>()
  readonly #above = new Set<string>()

  constructor(entries: readonly string[]) {
    for (const entry of entries.map((text) => text.toLowerCase())) {
      if (entry.includes('@')) this.#addresses.add(entry)
      else if (entry.startsWith('*.')) this.#above.add(entry.slice(2))
      else this.#domains.add(entry)
    }
  }

  holds({ local, domain }: Pick<Mailbox, 'local' | 'domain'>): boolean {
    const name = local.toLowerCase()
    if (this.#addresses.has(`${name}@${domain}`) || this.#addresses.has(`${name}@`)) return true
    return this.#domains.has(domain) || this.#isBelow(domain)
  }

  #isBelow(domain: string): boolean {
    if (this.#above.size === 0) return false
    for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1))
      if (this.#above.has(domain.slice(dot + 1))) return true
    return false
  }
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
