// SPDX-License-Identifier: MIT
import { domainToASCII } from 'node:url'
import { headerMailboxes } from '../message/header-mailboxes.js'

/** An address of a header field or of the envelope. */
export interface Address {
  /** `local@domain`, decoded as UTF-8. */
  readonly text: string
  /** In lower case and with A-labels (RFC 5890 section 2.3.2.1). */
  readonly domain: string
}

/** The addresses of a field such as From (RFC 5322 section 3.4) from its raw text, a character for each octet. */
export function addressesOf(raw: string): readonly Address[] {
  return headerMailboxes(raw).map(({ local, domain }) => ({
    text: `${local}@${domain}`,
    domain: comparableDomain(domain),
  }))
}

/** One form of all spellings of a domain. */
export function comparableDomain(domain: string): string {
  const name = domain.replace(/\.$/, '')
  const ascii = /^[\0-\x7f]*$/.test(name) ? name : domainToASCII(name)
  return (ascii === '' ? name : ascii).toLowerCase()
}
