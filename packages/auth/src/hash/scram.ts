// SPDX-License-Identifier: MIT
import { deriveScramKeys, SCRAM_DIGEST, type ScramHash, type StoredSecret } from '@portico/sasl'
import { decodeHash, equalBytes } from './encoding.js'
import type { Scheme } from './scheme.js'

const FORM = /^(\d{1,8}),([A-Za-z0-9+/=]+),([A-Za-z0-9+/=]+),([A-Za-z0-9+/=]+)$/

/** `{SCRAM-SHA-1}` and `{SCRAM-SHA-256}`: `iterations,salt,StoredKey,ServerKey`, the last three in base64. */
export const scramSchemes: readonly Scheme[] = [schemeOf('SCRAM-SHA-1', 'sha1'), schemeOf('SCRAM-SHA-256', 'sha256')]

function schemeOf(name: 'SCRAM-SHA-1' | 'SCRAM-SHA-256', hash: ScramHash): Scheme {
  return {
    names: [name],
    written: 'as-text',
    recognises: (stored) => read(stored, hash) !== undefined,
    verify: async (stored, password, threads) => {
      const keys = read(stored, hash)
      if (keys === undefined) return false
      const own = await threads.native(() => deriveScramKeys(hash, password, keys.salt, keys.iterations))
      return own === undefined ? undefined : equalBytes(own.storedKey, keys.storedKey)
    },
    secret(stored, kind) {
      const keys = kind === name ? read(stored, hash) : undefined
      return keys && (async () => keys)
    },
  }
}

function read(stored: string, hash: ScramHash): (StoredSecret & { readonly kind: 'scram' }) | undefined {
  const [, count, ...texts] = FORM.exec(stored) ?? []
  const [salt, storedKey, serverKey] = texts.map((text) => decodeHash(text, 'b64'))
  const [iterations, octets] = [Number(count), SCRAM_DIGEST[hash]]
  if (!(iterations > 0) || salt === undefined || storedKey?.length !== octets || serverKey?.length !== octets) {
    return undefined
  }
  return { kind: 'scram', salt, iterations, storedKey, serverKey }
}
