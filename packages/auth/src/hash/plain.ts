// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { equalBytes } from './encoding.js'
import type { Scheme } from './scheme.js'

/** `{PLAIN}`: the password itself. Both sides are hashed first, so that the time does not tell the stored length. */
export const plainScheme: Scheme = {
  names: ['PLAIN', 'CLEAR', 'CLEARTEXT'],
  encodable: false,
  recognises: (stored) => stored !== '',
  verify: async (stored, password) => equalBytes(digest(stored), digest(password)),
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
