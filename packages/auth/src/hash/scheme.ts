// SPDX-License-Identifier: MIT

/** One way to store a password. `stored` is what follows the `{SCHEME}` prefix. */
export interface Scheme {
  /** Names as they appear between braces, upper case. */
  readonly names: readonly string[]
  /** Whether it can be written in hex or base64 (`{SSHA512.hex}`). */
  readonly encodable: boolean
  /** Whether the text can be a stored password of this scheme. Asked when a file is read. */
  recognises(stored: string, encoding: 'b64' | 'hex'): boolean
  /** Never rejects for a malformed `stored`: false. Slow work must not hold the event loop. */
  verify(stored: string, password: string, encoding: 'b64' | 'hex'): Promise<boolean>
}
