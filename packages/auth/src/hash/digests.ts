// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { equalBytes } from './encoding.js'
import type { Scheme } from './scheme.js'

type Algorithm = 'md5' | 'sha1' | 'sha256' | 'sha512'

const OCTETS: Readonly<Record<Algorithm, number>> = { md5: 16, sha1: 20, sha256: 32, sha512: 64 }

/** `{PLAIN-MD5}`: the digest in hex. Broken as a digest, and there for accounts that have not changed their password for long. */
export const plainMd5Scheme: Scheme = bare(['PLAIN-MD5'], 'md5', 'hex')

/**
 * `{SHA}`, `{SHA256}`, `{SHA512}`, `{LDAP-MD5}`: the bare digest; `{SSHA}`, `{SSHA256}`, `{SSHA512}`, `{SMD5}`: digest over
 * password and salt, followed by the salt. Base64, or hex if so marked.
 */
export const digestSchemes: readonly Scheme[] = [
  bare(['SHA', 'SHA1'], 'sha1'),
  salted(['SSHA'], 'sha1'),
  bare(['SHA256'], 'sha256'),
  salted(['SSHA256'], 'sha256'),
  bare(['SHA512'], 'sha512'),
  salted(['SSHA512'], 'sha512'),
  bare(['LDAP-MD5'], 'md5'),
  plainMd5Scheme,
  salted(['SMD5'], 'md5'),
]

function bare(names: readonly string[], algorithm: Algorithm, written: 'b64' | 'hex' = 'b64'): Scheme {
  const octets = OCTETS[algorithm]
  return { ...scheme(names, algorithm, (length) => length === octets), written, octets }
}

function salted(names: readonly string[], algorithm: Algorithm): Scheme {
  return scheme(names, algorithm, (length) => length > OCTETS[algorithm])
}

function scheme(names: readonly string[], algorithm: Algorithm, fits: (length: number) => boolean): Scheme {
  return {
    names,
    written: 'b64',
    recognises: (stored) => fits(stored.length / 2),
    verify: async (stored, password) => fits(stored.length / 2) && matches(algorithm, stored, password),
  }
}

function matches(algorithm: Algorithm, stored: string, password: string): boolean {
  const bytes = Buffer.from(stored, 'hex')
  const octets = OCTETS[algorithm]
  const digest = createHash(algorithm).update(password).update(bytes.subarray(octets)).digest()
  return equalBytes(digest, bytes.subarray(0, octets))
}
