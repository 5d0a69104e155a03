// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { cryptText, inTurn } from './crypt-text.js'
import { equalBytes } from './encoding.js'
import type { Scheme } from './scheme.js'

const FORM = /^\$1\$([^$\n:]{0,8})\$([./0-9A-Za-z]{22})$/
const ROUNDS = 1000
const ROUNDS_PER_TURN = 250
const DIGEST = 16
const ORDER = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]]

/** `{MD5-CRYPT}`: `$1$salt$hash` of crypt(3). For accounts that have not changed their password for long. */
export const md5CryptScheme: Scheme = {
  names: ['MD5-CRYPT'],
  encodable: false,
  recognises: (stored) => FORM.test(stored),
  verify: async (stored, password) => {
    const [, salt, hash = ''] = FORM.exec(stored) ?? []
    if (salt === undefined) return false
    const computed = await inTurn(() => md5Crypt(Buffer.from(password), Buffer.from(salt)))
    return equalBytes(Buffer.from(computed), Buffer.from(hash))
  },
}

async function md5Crypt(key: Buffer, salt: Buffer): Promise<string> {
  const inner = md5(key, salt, key)
  const first = createHash('md5').update(key).update('$1$').update(salt).update(Buffer.alloc(key.length, inner))
  // The original reads a digest that it has cleared: a one bit adds a zero octet, any other the first octet of the key.
  for (let bits = key.length; bits > 0; bits >>= 1) first.update(bits % 2 === 1 ? Buffer.alloc(1) : key.subarray(0, 1))
  let digest: Buffer = first.digest()
  for (let round = 0; round < ROUNDS; round++) {
    if (round % ROUNDS_PER_TURN === 0) await nextTurn()
    const odd = round % 2 === 1
    const middle = [...(round % 3 === 0 ? [] : [salt]), ...(round % 7 === 0 ? [] : [key])]
    digest = md5(odd ? key : digest, ...middle, odd ? digest : key)
  }
  return cryptText(digest.subarray(0, DIGEST), ORDER)
}

function md5(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
