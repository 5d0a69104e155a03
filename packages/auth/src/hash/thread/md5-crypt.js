// SPDX-License-Identifier: MIT
import { createHash, hash } from 'node:crypto'
import { cryptText } from './crypt-text.js'

const ROUNDS = 1000
const DIGEST = 16
const ORDER = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]]

/**
 * The characters after the last `$` of `$1$salt$hash` (crypt(3)).
 *
 * @param {Buffer} key
 * @param {Buffer} salt
 * @returns {string}
 */
export function md5Crypt(key, salt) {
  const inner = md5(key, salt, key)
  const first = createHash('md5').update(key).update('$1$').update(salt).update(Buffer.alloc(key.length, inner))
  // The original reads a digest that it has cleared: a one bit adds a zero octet, any other the first octet of the key.
  for (let bits = key.length; bits > 0; bits >>= 1) first.update(bits % 2 === 1 ? Buffer.alloc(1) : key.subarray(0, 1))
  let digest = first.digest()
  for (let round = 0; round < ROUNDS; round++) {
    const odd = round % 2 === 1
    const middle = [...(round % 3 === 0 ? [] : [salt]), ...(round % 7 === 0 ? [] : [key])]
    digest = md5(odd ? key : digest, ...middle, odd ? digest : key)
  }
  return cryptText(digest.subarray(0, DIGEST), ORDER)
}

/**
 * @param {readonly Buffer[]} parts
 * @returns {Buffer<ArrayBuffer>}
 */
function md5(...parts) {
  return hash('md5', Buffer.concat(parts), 'buffer')
}
