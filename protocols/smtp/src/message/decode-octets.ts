// SPDX-License-Identifier: MIT

/**
 * Text of octets in a character set that somebody else has named. Where the name means nothing, or the octets are none of it, they
 * are taken for UTF-8, and for Latin-1 where they are none of that either.
 */
export function decodeOctets(octets: Uint8Array, charset: string): string {
  return decodeStrictly(octets, charset) ?? decodeStrictly(octets, 'utf-8') ?? Buffer.from(octets).toString('latin1')
}

/** As {@link decodeOctets}, but undefined for what would have to be guessed. */
export function decodeStrictly(octets: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(octets)
  } catch {
    return undefined
  }
}

/** Raw text of a header, a character for each octet, that may hold more than ASCII (RFC 6532). */
export function decodeRaw(text: string): string {
  return /[\x80-\xff]/.test(text) ? decodeOctets(Buffer.from(text, 'latin1'), 'utf-8') : text
}
