// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { decodeHash, equalBytes } from './encoding.js'
import type { Scheme } from './scheme.js'

type Algorithm = 'sha1' | 'sha256' | 'sha512'

const OCTETS: Readonly<Record<Algorithm, number>> = { sha1: 20, sha256: 32, sha512: 64 }

/**
 * `{SHA}`, `{SHA256}`, `{SHA512}`: the bare digest; `{SSHA}`, `{SSHA256}`, `{SSHA512}`: digest over password and salt, followed
 * by the salt. Base64, or hex if so marked.
 */
export const digestSchemes: readonly Scheme[] = [
  bare(['SHA', 'SHA1'], 'sha1'),
  salted(['SSHA'], 'sha1'),
  bare(['SHA256'], 'sha256'),
  salted(['SSHA256'], 'sha256'),
  bare(['SHA512'], 'sha512'),
  salted(['SSHA512'], 'sha512'),
]

function bare(names: readonly string[], algorithm: Algorithm): Scheme {
  return scheme(names, algorithm, (length) => length === OCTETS[algorithm])
}

function salted(names: readonly string[], algorithm: Algorithm): Scheme {
  return scheme(names, algorithm, (length) => length > OCTETS[algorithm])
}

function scheme(names: readonly string[], algorithm: Algorithm, fits: (length: number) => boolean): Scheme {
  return {
    names,
    encodable: true,
    recognises: (stored, encoding) => fits(decodeHash(stored, encoding)?.length ?? 0),
    verify: async (stored, password, encoding) => {
      const bytes = decodeHash(stored, encoding)
      return bytes !== undefined && fits(bytes.length) && matches(algorithm, bytes, password)
    },
  }
}

function matches(algorithm: Algorithm, bytes: Buffer, password: string): boolean {
  const octets = OCTETS[algorithm]
  const digest = createHash(algorithm).update(password).update(bytes.subarray(octets)).digest()
  return equalBytes(digest, bytes.subarray(0, octets))
}
