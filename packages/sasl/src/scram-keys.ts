// SPDX-License-Identifier: MIT
import { createHash, createHmac, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { saslprep } from './saslprep.js'

const derive = promisify(pbkdf2)

/** The hash functions of SCRAM: RFC 5802, RFC 7677. */
export type ScramHash = 'sha1' | 'sha256'

/** Octets of a digest. */
export const SCRAM_DIGEST: Readonly<Record<ScramHash, number>> = { sha1: 20, sha256: 32 }

/** What a server keeps of a password (RFC 5802 section 3), and the client's own key. */
export interface ScramKeys {
  readonly clientKey: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** Derives the keys of a password, which is prepared first (RFC 4013). Runs on the thread pool. */
export async function deriveScramKeys(
  hash: ScramHash,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramKeys> {
  const salted = await derive(saslprep(password) ?? password, salt, iterations, SCRAM_DIGEST[hash], hash)
  const clientKey = scramHmac(hash, salted, 'Client Key')
  return { clientKey, storedKey: scramDigest(hash, clientKey), serverKey: scramHmac(hash, salted, 'Server Key') }
}

export function scramHmac(hash: ScramHash, key: Uint8Array, text: string): Buffer {
  return createHmac(hash, key).update(text).digest()
}

export function scramDigest(hash: ScramHash, bytes: Uint8Array): Buffer {
  return createHash(hash).update(bytes).digest()
}

/** Of equal lengths. */
export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((octet, index) => octet ^ (b[index] ?? 0)))
}
