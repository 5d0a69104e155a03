// SPDX-License-Identifier: MIT
import { isUtf8 } from 'node:buffer'
import { timingSafeEqual } from 'node:crypto'
import type { Scheme } from './scheme.js'

/** How the octets of a stored hash are written, as `{SCHEME.b64}` and `{SCHEME.hex}` say. */
export type HashEncoding = 'b64' | 'hex'

/** Strict: `undefined` when the text is not written in that encoding. Base64 may lack its padding. */
export function decodeHash(text: string, encoding: HashEncoding): Buffer | undefined {
  if (encoding === 'hex') {
    return text.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(text) ? Buffer.from(text, 'hex') : undefined
  }
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

/**
 * What a scheme is given of what is written behind its prefix; `undefined` when it is not written in that encoding. A suffix turns
 * the text of schemes that store text into octets as well: `{PLAIN.b64}` may hold a colon.
 */
export function inOwnForm(
  { written: usual, octets }: Pick<Scheme, 'written' | 'octets'>,
  written: string,
  suffix: HashEncoding | undefined,
): string | undefined {
  if (usual === 'as-text') {
    const bytes = suffix === undefined ? Buffer.from(written) : decodeHash(written, suffix)
    return bytes !== undefined && isUtf8(bytes) ? bytes.toString('utf8') : undefined
  }
  // A digest of known length shows by itself which of the two it is.
  const shown = octets === undefined ? usual : written.length === 2 * octets ? 'hex' : 'b64'
  return decodeHash(written, suffix ?? shown)?.toString('hex')
}

/** Compares in a time that depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** The same for texts. */
export function equalText(a: string, b: string): boolean {
  return equalBytes(Buffer.from(a), Buffer.from(b))
}
