// SPDX-License-Identifier: MIT

/** Octets that one name or password may have. RFC 4616 section 2 asks for at least 255; hash work grows with the length. */
export const MAX_FIELD_OCTETS = 1024

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Strict UTF-8 (RFC 3629): `undefined` for anything else. A byte order mark stays, as it is part of the string. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}
