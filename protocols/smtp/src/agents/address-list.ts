// SPDX-License-Identifier: MIT
import { z } from '@portico/config'
import type { Mailbox } from '../address.js'

/** What an entry looks like: `alice@example.org`, `example.org`, `*.example.org` for all domains below it, `alice@` at any domain. */
const ADDRESS_ENTRY = /^(?:[^\s@]+@(?:[^\s@*]+)?|(?:\*\.)?[^\s@*]+)$/

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
export const addressEntries = () =>
  z.array(z.string().regex(ADDRESS_ENTRY, 'expected an address, a domain, *.domain, or a local part with @ behind it'))
