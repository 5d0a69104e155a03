// SPDX-License-Identifier: MIT

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Octets as UTF-8 where they are, else as latin1, which old clients write. */
export function decodeText(octets: Buffer): string {
  try {
    return utf8.decode(octets)
  } catch {
    return octets.toString('latin1')
  }
}
