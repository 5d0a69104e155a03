// SPDX-License-Identifier: MIT
import { decodeBase64 } from '@portico/session'
import { decodeText } from '../codec/text.js'

/** What stands behind the scheme of an Authorization field, without the space around it. */
function behindScheme(authorization: string): string {
  const space = authorization.indexOf(' ')
  return space < 0 ? '' : authorization.slice(space + 1).trim()
}

/** A bearer token as it stands (RFC 6750 section 2.1); `undefined` when it is none. */
export function readToken(authorization: string): string | undefined {
  const token = behindScheme(authorization)
  return /^[A-Za-z0-9._~+/-]+=*$/.test(token) ? token : undefined
}

/** The octets of a handshake (RFC 4559 section 4.2); `undefined` when there are none. */
export function readHandshake(authorization: string): Buffer | undefined {
  const octets = decodeBase64(behindScheme(authorization))
  return octets === undefined || octets.length === 0 ? undefined : octets
}

const NTLMSSP = Buffer.from('NTLMSSP\0', 'latin1')

/**
 * Whether these octets begin a handshake: an NTLM NEGOTIATE_MESSAGE ([MS-NLMP] section 2.2.1.1), or the first token of a GSS-API
 * mechanism (RFC 2743 section 3.1), which every later one of SPNEGO differs from (RFC 4178 section 4.2). Not more is read: what they
 * mean is the acceptor's to say.
 */
export function beginsHandshake(octets: Buffer): boolean {
  if (octets.subarray(0, NTLMSSP.length).equals(NTLMSSP)) return octets[NTLMSSP.length] === 1
  return octets[0] === 0x60
}

/**
 * User name and password of Basic (RFC 7617 section 2). They are UTF-8, as our challenge says (section 2.1); what is not UTF-8 comes
 * from clients that ignore the challenge and is read as latin1. `undefined` when they cannot be read or hold control characters.
 */
export function readBasic(authorization: string): { readonly user: string; readonly password: string } | undefined {
  const octets = readHandshake(authorization)
  if (octets === undefined) return undefined
  const text = decodeText(octets)
  const colon = text.indexOf(':')
  if (colon < 0 || /[\0-\x1f\x7f]/.test(text)) return undefined
  return { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

/**
 * Basic's value for a backend. `undefined` for a user name that it cannot carry: it must not hold a colon, and nothing may hold a
 * control character (RFC 7617 section 2).
 */
export function basicValue(user: string, password: string): string | undefined {
  if (user.includes(':') || /[\0-\x1f\x7f]/.test(user) || /[\0-\x1f\x7f]/.test(password)) return undefined
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
