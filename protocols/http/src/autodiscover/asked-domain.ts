// SPDX-License-Identifier: MIT

import { domainToASCII } from 'node:url'
import { HOST_NAME } from '@portico/base'

/** What a client says of the domain that it wants to set up. */
export interface DomainQuestion {
  /** An address of it; the part before the `@` counts for nothing. */
  readonly address: string | undefined
  /** The host that it asks at. */
  readonly authority: string | undefined
  /** The domains that are served; all when empty. */
  readonly domains: readonly string[]
}

/**
 * The mail domain that is asked about, in lower case and A-labels: that of the address, else the one whose host is asked; `undefined` when it is
 * not served here, or is none.
 */
export function askedDomain({ address, authority, domains }: DomainQuestion): string | undefined {
  const written = address === undefined ? hostOf(authority).replace(/^autoconfig\./, '') : domainOf(address)
  // The site writes its domains as the DNS has them (RFC 5891); people write their addresses as they please.
  const domain = domainToASCII(written)
  if (!HOST_NAME.test(domain)) return undefined
  return domains.length === 0 || domains.includes(domain) ? domain : undefined
}

function domainOf(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 1 ? '' : address.slice(at + 1)
}

function hostOf(authority = ''): string {
  return authority.toLowerCase().replace(/:\d*$/, '')
}
