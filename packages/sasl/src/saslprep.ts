// SPDX-License-Identifier: MIT
import { saslprep as prepare } from '@mongodb-js/saslprep'

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/

/**
 * Prepares a presented name or password for comparison (SASLprep, RFC 4013): spaces become U+0020, compatibility forms are
 * folded, unassigned code points pass because a presented string is a query (RFC 3454 section 7). `undefined`: the string holds
 * something that SASLprep prohibits (control characters, a bidirectional mix), and verification has to fail (RFC 4616 section 2).
 */
export function saslprep(text: string): string | undefined {
  if (PRINTABLE_ASCII.test(text)) return text
  try {
    return prepare(text, { allowUnassigned: true })
  } catch {
    return undefined
  }
}

/**
 * Why a presented name or password cannot be one; `undefined` when it can. Control characters and what is no Unicode are no input
 * that anybody could have meant; anything else that SASLprep prohibits, and an empty text, simply matches nothing.
 */
export function refusalOf(text: string): 'malformed' | 'invalid-credentials' | undefined {
  if (/[\p{Cc}\p{Surrogate}]/u.test(text)) return 'malformed'
  return saslprep(text) ? undefined : 'invalid-credentials'
}
