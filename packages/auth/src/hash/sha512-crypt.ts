// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { equalBytes } from './encoding.js'
import type { Scheme } from './scheme.js'

const FORM = /^\$6\$(?:rounds=(\d{1,9})\$)?([^$\n:]{0,16})\$([./0-9A-Za-z]{86})$/
const DEFAULT_ROUNDS = 5000
const MIN_ROUNDS = 1000
/** A round takes about 4 µs: the event loop is held for about a millisecond at a time. */
const ROUNDS_PER_TURN = 250
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const DIGEST = 64

/** `{SHA512-CRYPT}`: `$6$[rounds=N$]salt$hash`, as crypt(3) writes it. */
export const sha512CryptScheme: Scheme = {
  names: ['SHA512-CRYPT'],
  encodable: false,
  recognises: (stored) => FORM.test(stored),
  verify: async (stored, password) => {
    const [, rounds, salt = '', hash = ''] = FORM.exec(stored) ?? []
    if (hash === '') return false
    const computed = await inTurn(() => sha512Crypt(password, salt, rounds === undefined ? undefined : Number(rounds)))
    return equalBytes(Buffer.from(computed), Buffer.from(hash))
  },
}

let last: Promise<unknown> = Promise.resolve()

/** One computation at a time, because every pending one would otherwise take its share of the same turn of the event loop. */
function inTurn<T>(compute: () => Promise<T>): Promise<T> {
  const mine = last.then(compute)
  last = mine.catch(() => undefined)
  return mine
}

/**
 * The 86 characters after the last `$` (Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6). Gives the event loop a
 * turn every few hundred rounds. `rounds` below 1000 counts as 1000.
 */
export async function sha512Crypt(password: string, salt: string, rounds = DEFAULT_ROUNDS): Promise<string> {
  const key = Buffer.from(password)
  const seed = Buffer.from(salt)
  let digest: Buffer = initialDigest(key, seed)
  const p = stretch(repeatedDigest(key, key.length), key.length)
  const s = stretch(repeatedDigest(seed, 16 + (digest[0] ?? 0)), seed.length)
  for (let round = 0; round < Math.max(rounds, MIN_ROUNDS); round++) {
    if (round % ROUNDS_PER_TURN === 0) await nextTurn()
    digest = oneRound(round, digest, p, s)
  }
  return encode(digest)
}

function oneRound(round: number, digest: Buffer, p: Buffer, s: Buffer): Buffer {
  const odd = round % 2 === 1
  const hash = createHash('sha512').update(odd ? p : digest)
  if (round % 3 !== 0) hash.update(s)
  if (round % 7 !== 0) hash.update(p)
  return hash.update(odd ? digest : p).digest()
}

/** Steps 1 to 12: the digest that the rounds start from. */
function initialDigest(key: Buffer, salt: Buffer): Buffer {
  const b = createHash('sha512').update(key).update(salt).update(key).digest()
  const a = createHash('sha512').update(key).update(salt).update(stretch(b, key.length))
  for (let bits = key.length; bits > 0; bits >>= 1) a.update(bits % 2 === 1 ? b : key)
  return a.digest()
}

function repeatedDigest(bytes: Buffer, times: number): Buffer {
  const hash = createHash('sha512')
  for (let i = 0; i < times; i++) hash.update(bytes)
  return hash.digest()
}

/** The digest over and over, cut to `length` octets. */
function stretch(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, digest)
}

/** Three octets to four characters, low bits first, in the octet order of step 22 (0 21 42, 22 43 1, 44 2 23, 3 24 45 …). */
function encode(digest: Buffer): string {
  let text = ''
  for (let i = 0; i < 21; i++) {
    const three = [i, i + 21, i + 42]
    const [high = 0, middle = 0, low = 0] = [...three.slice(i % 3), ...three.slice(0, i % 3)]
    text += characters(((digest[high] ?? 0) << 16) | ((digest[middle] ?? 0) << 8) | (digest[low] ?? 0), 4)
  }
  return text + characters(digest[DIGEST - 1] ?? 0, 2)
}

function characters(value: number, count: number): string {
  let text = ''
  for (let i = 0; i < count; i++) text += ALPHABET[(value >> (6 * i)) & 63]
  return text
}
