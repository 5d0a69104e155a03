// SPDX-License-Identifier: MIT
import { createHash, hash } from 'node:crypto'
import { cryptText } from './crypt-text.js'

/**
 * The octets of each group of characters. `$5$`: `(0 10 20) (21 1 11) (12 22 2) …`, every group goes one to the right; `$6$`:
 * `(0 21 42) (22 43 1) (44 2 23) …`, every group goes one to the left.
 */
const ORDER = { sha256: [...groups(10, -1), [31, 30]], sha512: [...groups(21, 1), [63]] }

/**
 * The characters after the last `$` of `$5$` and `$6$` (Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6).
 *
 * @param {'sha256' | 'sha512'} algorithm
 * @param {Buffer} key
 * @param {Buffer} salt
 * @param {number} rounds
 * @returns {string}
 */
export function sha2Crypt(algorithm, key, salt, rounds) {
  let digest = initialDigest(algorithm, key, salt)
  const p = stretch(repeatedDigest(algorithm, key, key.length), key.length)
  const s = stretch(repeatedDigest(algorithm, salt, 16 + (digest[0] ?? 0)), salt.length)
  // Hashing one piece of memory in one call takes half the time of updates part by part.
  const text = Buffer.alloc(digest.length + s.length + 2 * p.length)
  for (let round = 0; round < rounds; round++) {
    const end = write(text, round, digest, p, s)
    digest = hash(algorithm, text.subarray(0, end), 'buffer')
  }
  return cryptText(digest, ORDER[algorithm])
}

/**
 * Writes what one round hashes, and tells where it ends.
 *
 * @param {Buffer} text
 * @param {number} round
 * @param {Buffer} digest
 * @param {Buffer} p
 * @param {Buffer} s
 * @returns {number}
 */
function write(text, round, digest, p, s) {
  const odd = round % 2 === 1
  let end = (odd ? p : digest).copy(text)
  if (round % 3 !== 0) end += s.copy(text, end)
  if (round % 7 !== 0) end += p.copy(text, end)
  return end + (odd ? digest : p).copy(text, end)
}

/**
 * Steps 1 to 12: the digest that the rounds start from.
 *
 * @param {string} algorithm
 * @param {Buffer} key
 * @param {Buffer} salt
 * @returns {Buffer}
 */
function initialDigest(algorithm, key, salt) {
  const b = createHash(algorithm).update(key).update(salt).update(key).digest()
  const a = createHash(algorithm).update(key).update(salt).update(stretch(b, key.length))
  for (let bits = key.length; bits > 0; bits >>= 1) a.update(bits % 2 === 1 ? b : key)
  return a.digest()
}

/**
 * @param {string} algorithm
 * @param {Buffer} bytes
 * @param {number} times
 * @returns {Buffer}
 */
function repeatedDigest(algorithm, bytes, times) {
  const hash = createHash(algorithm)
  for (let i = 0; i < times; i++) hash.update(bytes)
  return hash.digest()
}

/**
 * The digest over and over, cut to `length` octets.
 *
 * @param {Buffer} digest
 * @param {number} length
 * @returns {Buffer}
 */
function stretch(digest, length) {
  return Buffer.alloc(length, digest)
}

/**
 * Octets `i`, `i + third` and `i + 2 × third` for every `i`, each group turned by one place more than the one before.
 *
 * @param {number} third
 * @param {1 | -1} turn
 * @returns {number[][]}
 */
function groups(third, turn) {
  return Array.from({ length: third }, (_, i) => {
    const three = [i, i + third, i + 2 * third]
    const by = (((turn * i) % 3) + 3) % 3
    return [...three.slice(by), ...three.slice(0, by)]
  })
}
