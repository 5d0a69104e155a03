// SPDX-License-Identifier: MIT
import { comparableDomain } from '../message/domain-list.js'
import { headerMailboxes } from '../message/header-mailboxes.js'

/** An address as conditions look at it. */
export interface Address {
  /** `local@domain`, decoded as UTF-8; a local part alone where there is no domain. */
  readonly text: string
  /** In lower case and with A-labels (RFC 5890 section 2.3.2.1). */
  readonly domain: string
}

/** The addresses of a field such as From, from its raw text: unfolded, a character for each octet. */
export function addressesOf(raw: string): readonly Address[] {
  return headerMailboxes(raw).map(addressIn)
}

/** An address that is known by its parts. */
export function addressIn({ local, domain }: { readonly local: string; readonly domain: string }): Address {
  return { text: domain === '' ? local : `${local}@${domain}`, domain: comparableDomain(domain) }
}
