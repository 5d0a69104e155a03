// SPDX-License-Identifier: MIT
import { domainToASCII } from 'node:url'

/** Domains, and with `*.` in front all below them. */
export class DomainList {
  /** As they are written, by the form in which they are compared. */
  readonly #domains = new Map<string, string>()
  readonly #above = new Map<string, string>()

  constructor(entries: readonly string[]) {
    for (const entry of entries)
      if (entry.startsWith('*.')) this.#above.set(comparableDomain(entry.slice(2)), entry)
      else this.#domains.set(comparableDomain(entry), entry)
  }

  /** The entry that a domain belongs to, which is one that {@link comparableDomain} gave. */
  of(domain: string): string | undefined {
    const own = this.#domains.get(domain)
    if (own !== undefined || this.#above.size === 0) return own
    for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      const above = this.#above.get(domain.slice(dot + 1))
      if (above !== undefined) return above
    }
    return undefined
  }
}

/** No domain is longer, however it is written; to normalize what is takes time that grows with its square. */
const LONGEST_DOMAIN = 1_024

/** One form of all spellings of a domain. */
export function comparableDomain(domain: string): string {
  const name = domain.replace(/\.$/, '')
  const ascii = name.length > LONGEST_DOMAIN || /^[\0-\x7f]*$/.test(name) ? name : domainToASCII(name)
  return (ascii === '' ? name : ascii).toLowerCase()
}
