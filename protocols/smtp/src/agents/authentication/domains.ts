// SPDX-License-Identifier: MIT
import { z } from '@portico/config'
import { askableName } from '../dns/dns-name.js'

/**
 * A domain as it is compared and asked for: A-labels, lower case, no dot behind it. `octets` has one character for each octet, those
 * above 127 being UTF-8 (RFC 8616). Undefined for what is no domain name.
 */
export function domainOf(octets: string): string | undefined {
  const text = decoded(octets)
  if (text === undefined || text.endsWith('.')) return undefined
  const name = askableName(text)
  return name === undefined || /[+=]/.test(name) ? undefined : name
}

/** The domain itself or one below it. */
export function isWithin(domain: string, ancestor: string): boolean {
  return domain === ancestor || domain.endsWith(`.${ancestor}`)
}

function decoded(octets: string): string | undefined {
  if (!/[\x80-\xff]/.test(octets)) return octets
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(octets, 'latin1'))
  } catch {
    return undefined
  }
}

/** A domain of the configuration. */
export function domainSetting() {
  return z.string().transform((text, context) => {
    const domain = domainOf(Buffer.from(text).toString('latin1'))
    if (domain !== undefined) return domain
    context.addIssue({ code: 'custom', message: 'expected a domain' })
    return z.NEVER
  })
}
