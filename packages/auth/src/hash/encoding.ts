// SPDX-License-Identifier: MIT
import { timingSafeEqual } from 'node:crypto'

/** How the octets of a stored hash are written, as `{SCHEME.b64}` and `{SCHEME.hex}` say. */
export type HashEncoding = 'b64' | 'hex'

/** Strict: `undefined` when the text is not written in that encoding. Base64 may lack its padding. */
export function decodeHash(text: string, encoding: HashEncoding): Buffer | undefined {
  if (encoding === 'hex') {
    return text.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(text) ? Buffer.from(text, 'hex') : undefined
  }
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** The same for texts. */
export function equalText(a: string, b: string): boolean {
  return equalBytes(Buffer.from(a), Buffer.from(b))
}

/** Compares in a time that depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
