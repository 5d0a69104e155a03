// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { deriveScramKeys, type StoredSecret } from '@portico/sasl'
import { cramMd5Secret, cramMd5States } from './cram-md5.js'
import { equalBytes } from './encoding.js'
import type { Scheme } from './scheme.js'

/** What RFC 5802 section 5.1 and RFC 7677 section 4 ask for at least, and what other servers store. */
const ITERATIONS = 4096

/**
 * `{PLAIN}`: the password itself, from which everything can be derived. Both sides are hashed first, so that the time does not
 * tell the stored length.
 */
export const plainScheme: Scheme = {
  names: ['PLAIN', 'CLEAR', 'CLEARTEXT'],
  written: 'as-text',
  recognises: (stored) => stored !== '',
  verify: async (stored, password) => equalBytes(digest(stored), digest(password)),
  secret(stored, kind) {
    if (kind === 'APOP') return async () => ({ kind: 'apop', digest: (timestamp) => md5(timestamp, stored) })
    if (kind === 'CRAM-MD5') return async () => cramMd5Secret(cramMd5States(stored))
    return async (salt, threads): Promise<StoredSecret | undefined> => {
      const hash = kind === 'SCRAM-SHA-1' ? 'sha1' : 'sha256'
      const keys = await threads.native(() => deriveScramKeys(hash, stored, salt, ITERATIONS))
      if (keys === undefined) return undefined
      return { kind: 'scram', salt, iterations: ITERATIONS, storedKey: keys.storedKey, serverKey: keys.serverKey }
    }
  },
}

/** RFC 1939 section 7. */
function md5(timestamp: Uint8Array, password: string): Buffer {
  return createHash('md5').update(timestamp).update(password).digest()
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
