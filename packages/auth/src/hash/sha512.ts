// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { decodeHash, equalBytes } from './encoding.js'
import type { Scheme } from './scheme.js'

const DIGEST = 64

/** `{SHA512}`: the bare digest, and `{SSHA512}`: digest over password and salt, followed by the salt. Base64, or hex if so marked. */
export const sha512Scheme: Scheme = {
  names: ['SHA512'],
  encodable: true,
  recognises: (stored, encoding) => decodeHash(stored, encoding)?.length === DIGEST,
  verify: async (stored, password, encoding) => {
    const bytes = decodeHash(stored, encoding)
    return bytes?.length === DIGEST && matches(bytes, password)
  },
}

export const ssha512Scheme: Scheme = {
  names: ['SSHA512'],
  encodable: true,
  recognises: (stored, encoding) => (decodeHash(stored, encoding)?.length ?? 0) > DIGEST,
  verify: async (stored, password, encoding) => {
    const bytes = decodeHash(stored, encoding)
    return bytes !== undefined && bytes.length > DIGEST && matches(bytes, password)
  },
}

function matches(bytes: Buffer, password: string): boolean {
  const digest = createHash('sha512').update(password).update(bytes.subarray(DIGEST)).digest()
  return equalBytes(digest, bytes.subarray(0, DIGEST))
}
