// SPDX-License-Identifier: MIT
import type { SecretKind, StoredSecret } from '@portico/sasl'
import type { Hashing } from './hash-threads.js'

/** Whether a password is right; `undefined` when that could not be found out now. */
export type Verdict = boolean | undefined

/**
 * One way to store a password. `stored` is what follows the `{SCHEME}` prefix: the text itself, or, for schemes that store octets,
 * those octets in lower-case hex, however they were written.
 */
export interface Scheme {
  /** Names as they appear between braces, upper case. */
  readonly names: readonly string[]
  /** How it is written where no suffix says otherwise (`{SSHA512.hex}`). */
  readonly written: 'as-text' | 'b64' | 'hex'
  /** For schemes that store a fixed number of octets: as many signs of hex are taken for hex without a suffix too. */
  readonly octets?: number
  /** Whether it can be a stored password of this scheme. Asked when a file is read. */
  recognises(stored: string): boolean
  /** Never rejects for a malformed `stored`: false. Slow work goes to the threads. */
  verify(stored: string, password: string, threads: Hashing): Promise<Verdict>
  /** What proofs of that kind are checked against, where it can be had from what is stored. Absent: of no kind. */
  secret?(stored: string, kind: SecretKind): SecretMaker | undefined
}

/**
 * Makes what a proof is checked against; `undefined` when that cannot be done now. A password that is stored as it is takes the
 * salt that is given; others have their own.
 */
export type SecretMaker = (salt: Uint8Array, threads: Hashing) => Promise<StoredSecret | undefined>
