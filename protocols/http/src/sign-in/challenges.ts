// SPDX-License-Identifier: MIT
import type { AuthFailureReason } from '@portico/base'
import type { Scheme } from '../directory/presets.js'

/** What is wrong with a bearer token, in the words of RFC 6750 section 3.1, and for people. */
const TOKEN_ERRORS: Readonly<Partial<Record<AuthFailureReason, string>>> = {
  malformed: 'error="invalid_request", error_description="The token cannot be read"',
  'invalid-credentials': 'error="invalid_token", error_description="The token is not valid"',
  'password-expired': 'error="invalid_token", error_description="The token has expired"',
  'unauthorized-identity': 'error="insufficient_scope", error_description="The token does not allow this"',
}

/** What an answer to a bearer token says of it besides its status; empty for what is no fault of the token. */
export function tokenError(reason: AuthFailureReason): string {
  return TOKEN_ERRORS[reason] ?? ''
}

/**
 * The fields that ask for a sign-in, a line for each scheme: clients are known that read no list (RFC 9110 section 11.6.1). The
 * charset tells clients of Basic to send UTF-8 (RFC 7617 section 2.1). `error` belongs to the token that was shown; a client that has
 * shown none is told none (RFC 6750 section 3).
 */
export function challenges(schemes: readonly Scheme[], realm: string, error = ''): string {
  return schemes.map((scheme) => challenge(scheme, realm, error)).join('')
}

function challenge(scheme: Scheme, realm: string, error: string): string {
  switch (scheme) {
    case 'negotiate':
      return 'WWW-Authenticate: Negotiate\r\n'
    case 'ntlm':
      return 'WWW-Authenticate: NTLM\r\n'
    case 'basic':
      return `WWW-Authenticate: Basic realm="${realm}", charset="UTF-8"\r\n`
    case 'bearer':
      return `WWW-Authenticate: Bearer realm="${realm}"${error === '' ? '' : `, ${error}`}\r\n`
    case 'forms':
      return ''
  }
}

/** The next octets of a handshake (RFC 4559 section 4.1). */
export function handshakeLine(scheme: Scheme, data: Uint8Array): string {
  const name = scheme === 'ntlm' ? 'NTLM' : 'Negotiate'
  return `WWW-Authenticate: ${name} ${Buffer.from(data).toString('base64')}\r\n`
}
