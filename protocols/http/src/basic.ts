// SPDX-License-Identifier: MIT
import { decodeBase64 } from '@portico/session'

/** What an Authorization field holds (RFC 9110 section 11.6.2, RFC 7617 section 2). */
export type Credentials =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'other-scheme' }
  | { readonly kind: 'malformed' }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const MALFORMED: Credentials = { kind: 'malformed' }

/**
 * Reads Basic credentials. They are UTF-8, as our challenge says (RFC 7617 section 2.1); what is not UTF-8 comes from clients
 * that ignore the challenge and is read as latin1. Control characters are refused (RFC 7617 section 2).
 */
export function readAuthorization(value: string): Credentials {
  const space = value.indexOf(' ')
  const scheme = (space < 0 ? value : value.slice(0, space)).toLowerCase()
  if (scheme !== 'basic') return /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(scheme) ? { kind: 'other-scheme' } : MALFORMED
  const octets = decodeBase64(value.slice(space + 1).trim())
  if (space < 0 || octets === undefined || octets.length === 0) return MALFORMED
  const text = decodeText(octets)
  const colon = text.indexOf(':')
  if (colon < 0 || /[\0-\x1f\x7f]/.test(text)) return MALFORMED
  return { kind: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) }
}

function decodeText(octets: Buffer): string {
  try {
    return utf8.decode(octets)
  } catch {
    return octets.toString('latin1')
  }
}

/**
 * The field value for a backend. `undefined` for a user name that Basic cannot carry: it must not hold a colon, and nothing may
 * hold a control character (RFC 7617 section 2).
 */
export function basicValue(user: string, password: string): string | undefined {
  if (user.includes(':') || /[\0-\x1f\x7f]/.test(user) || /[\0-\x1f\x7f]/.test(password)) return undefined
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
