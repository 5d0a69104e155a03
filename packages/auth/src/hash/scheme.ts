// SPDX-License-Identifier: MIT
import type { SecretKind, StoredSecret } from '@portico/sasl'
import type { HashThreads } from './hash-threads.js'

/** Whether a password is right; `undefined` when that could not be found out now. */
export type Verdict = boolean | undefined

/** One way to store a password. `stored` is what follows the `{SCHEME}` prefix. */
export interface Scheme {
  /** Names as they appear between braces, upper case. */
  readonly names: readonly string[]
  /** Whether it can be written in hex or base64 (`{SSHA512.hex}`). */
  readonly encodable: boolean
  /** Whether the text can be a stored password of this scheme. Asked when a file is read. */
  recognises(stored: string, encoding: 'b64' | 'hex'): boolean
  /** Never rejects for a malformed `stored`: false. Slow work goes to the threads. */
  verify(stored: string, password: string, encoding: 'b64' | 'hex', threads: HashThreads): Promise<Verdict>
  /** What proofs of that kind are checked against, where it can be had from what is stored. Absent: of no kind. */
  secret?(stored: string, kind: SecretKind): SecretMaker | undefined
}

/** Makes what a proof is checked against. A password that is stored as it is takes the salt that is given; others have their own. */
export type SecretMaker = (salt: Uint8Array) => Promise<StoredSecret>
