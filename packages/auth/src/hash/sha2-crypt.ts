// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { cryptText, inTurn } from './crypt-text.js'
import { equalBytes } from './encoding.js'
import type { Scheme } from './scheme.js'

/** What differs between `$5$` and `$6$`. */
interface Variant {
  readonly algorithm: 'sha256' | 'sha512'
  readonly form: RegExp
  /** The octets of each group of characters. */
  readonly order: readonly (readonly number[])[]
}

const DEFAULT_ROUNDS = 5000
const MIN_ROUNDS = 1000
/** A round takes about 4 µs: the event loop is held for about a millisecond at a time. */
const ROUNDS_PER_TURN = 250

/** `(0 10 20) (21 1 11) (12 22 2) …`: every group goes one to the right. */
const SHA256: Variant = {
  algorithm: 'sha256',
  form: /^\$5\$(?:rounds=(\d{1,9})\$)?([^$\n:]{0,16})\$([./0-9A-Za-z]{43})$/,
  order: [...groups(10, -1), [31, 30]],
}

/** `(0 21 42) (22 43 1) (44 2 23) …`: every group goes one to the left. */
const SHA512: Variant = {
  algorithm: 'sha512',
  form: /^\$6\$(?:rounds=(\d{1,9})\$)?([^$\n:]{0,16})\$([./0-9A-Za-z]{86})$/,
  order: [...groups(21, 1), [63]],
}

/** `{SHA256-CRYPT}`: `$5$[rounds=N$]salt$hash`, as crypt(3) writes it. */
export const sha256CryptScheme: Scheme = schemeOf('SHA256-CRYPT', SHA256)

/** `{SHA512-CRYPT}`: `$6$[rounds=N$]salt$hash`, as crypt(3) writes it. */
export const sha512CryptScheme: Scheme = schemeOf('SHA512-CRYPT', SHA512)

function schemeOf(name: string, variant: Variant): Scheme {
  return {
    names: [name],
    encodable: false,
    recognises: (stored) => variant.form.test(stored),
    verify: async (stored, password) => {
      const [, rounds, salt = '', hash = ''] = variant.form.exec(stored) ?? []
      if (hash === '') return false
      const count = rounds === undefined ? DEFAULT_ROUNDS : Math.max(Number(rounds), MIN_ROUNDS)
      const computed = await inTurn(() => sha2Crypt(variant, Buffer.from(password), Buffer.from(salt), count))
      return equalBytes(Buffer.from(computed), Buffer.from(hash))
    },
  }
}

/**
 * The characters after the last `$` (Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6). Gives the event loop a
 * turn every few hundred rounds.
 */
async function sha2Crypt({ algorithm, order }: Variant, key: Buffer, salt: Buffer, rounds: number): Promise<string> {
  let digest: Buffer = initialDigest(algorithm, key, salt)
  const p = stretch(repeatedDigest(algorithm, key, key.length), key.length)
  const s = stretch(repeatedDigest(algorithm, salt, 16 + (digest[0] ?? 0)), salt.length)
  for (let round = 0; round < rounds; round++) {
    if (round % ROUNDS_PER_TURN === 0) await nextTurn()
    digest = oneRound(algorithm, round, digest, p, s)
  }
  return cryptText(digest, order)
}

function oneRound(algorithm: string, round: number, digest: Buffer, p: Buffer, s: Buffer): Buffer {
  const odd = round % 2 === 1
  const hash = createHash(algorithm).update(odd ? p : digest)
  if (round % 3 !== 0) hash.update(s)
  if (round % 7 !== 0) hash.update(p)
  return hash.update(odd ? digest : p).digest()
}

/** Steps 1 to 12: the digest that the rounds start from. */
function initialDigest(algorithm: string, key: Buffer, salt: Buffer): Buffer {
  const b = createHash(algorithm).update(key).update(salt).update(key).digest()
  const a = createHash(algorithm).update(key).update(salt).update(stretch(b, key.length))
  for (let bits = key.length; bits > 0; bits >>= 1) a.update(bits % 2 === 1 ? b : key)
  return a.digest()
}

function repeatedDigest(algorithm: string, bytes: Buffer, times: number): Buffer {
  const hash = createHash(algorithm)
  for (let i = 0; i < times; i++) hash.update(bytes)
  return hash.digest()
}

/** The digest over and over, cut to `length` octets. */
function stretch(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, digest)
}

/** Octets `i`, `i + third` and `i + 2 × third` for every `i`, each group turned by one place more than the one before. */
function groups(third: number, turn: 1 | -1): number[][] {
  return Array.from({ length: third }, (_, i) => {
    const three = [i, i + third, i + 2 * third]
    const by = (((turn * i) % 3) + 3) % 3
    return [...three.slice(by), ...three.slice(0, by)]
  })
}
