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
