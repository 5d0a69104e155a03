// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'

/** SHA-256 over the DER of a certificate, in lower-case hex: what `openssl x509 -fingerprint -sha256` shows, without colons. */
export function fingerprintOf(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('hex')
}

/** A fingerprint as people write it, colons or not; `undefined` when it is none. */
export function readFingerprint(text: string): string | undefined {
  const hex = text.replaceAll(':', '').toLowerCase()
  return /^[0-9a-f]{64}$/.test(hex) ? hex : undefined
}
