// SPDX-License-Identifier: MIT

/** By octet: 1 for letters, digits and the hyphen, 2 for the other token characters, 0 for all else (RFC 9110 section 5.6.2). */
export const TOKEN = new Uint8Array(256)
/** By octet: 1 where a field value may hold it: HTAB, SP, visible, obs-text (RFC 9110 section 5.5). */
export const VALUE = new Uint8Array(256)
/** By octet: the digit's value, or 255. */
export const HEX = new Uint8Array(256).fill(255)

for (let octet = 0; octet < 256; octet += 1) {
  const character = String.fromCharCode(octet)
  if (/[A-Za-z0-9-]/.test(character)) TOKEN[octet] = 1
  else if ("!#$%&'*+.^_`|~".includes(character)) TOKEN[octet] = 2
  if (octet === 9 || (octet >= 0x20 && octet !== 0x7f)) VALUE[octet] = 1
  if (/[0-9A-Fa-f]/.test(character)) HEX[octet] = Number.parseInt(character, 16)
}

export const HTAB = 9
export const LF = 10
export const CR = 13
export const SP = 32
export const COLON = 58
export const SEMICOLON = 59

/** The same octets as a Buffer, without copying them. */
export function asBuffer(view: Uint8Array): Buffer {
  return Buffer.isBuffer(view) ? view : Buffer.from(view.buffer, view.byteOffset, view.byteLength)
}
