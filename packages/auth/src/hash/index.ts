// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { type SecretKind, saslprep } from '@portico/sasl'
import { argon2Scheme } from './argon2.js'
import { blfCryptScheme } from './blf-crypt.js'
import { cramMd5Scheme } from './cram-md5.js'
import { digestSchemes, plainMd5Scheme } from './digests.js'
import { type HashEncoding, inOwnForm } from './encoding.js'
import type { Hashing } from './hash-threads.js'
import { md5CryptScheme } from './md5-crypt.js'
import { pbkdf2Scheme } from './pbkdf2.js'
import { plainScheme } from './plain.js'
import type { Scheme, SecretMaker, Verdict } from './scheme.js'
import { scramSchemes } from './scram.js'
import { sha256CryptScheme, sha512CryptScheme } from './sha2-crypt.js'

const CRYPT_SCHEMES: readonly Scheme[] = [
  sha512CryptScheme,
  sha256CryptScheme,
  md5CryptScheme,
  blfCryptScheme,
  argon2Scheme,
]

/** `{CRYPT}`: whichever of the `$id$` forms it is. */
const cryptScheme = oneOf('CRYPT', CRYPT_SCHEMES)

/** `{MD5}`: what crypt(3) makes, or the bare digest in hex. */
const md5Scheme = oneOf('MD5', [md5CryptScheme, plainMd5Scheme])

function oneOf(name: string, schemes: readonly Scheme[]): Scheme {
  return {
    names: [name],
    written: 'as-text',
    recognises: (stored) => schemes.some((scheme) => scheme.recognises(stored)),
    verify: async (stored, password, threads) => {
      const scheme = schemes.find((one) => one.recognises(stored))
      return scheme === undefined ? false : scheme.verify(stored, password, threads)
    },
  }
}

const BY_NAME = new Map(
  [
    plainScheme,
    ...digestSchemes,
    ...CRYPT_SCHEMES,
    cryptScheme,
    md5Scheme,
    pbkdf2Scheme,
    ...scramSchemes,
    cramMd5Scheme,
  ].flatMap((scheme) => scheme.names.map((name) => [name, scheme] as const)),
)

const SUFFIXES: Readonly<Record<string, HashEncoding>> = { B64: 'b64', BASE64: 'b64', HEX: 'hex' }

/** The scheme names that a stored password may carry between braces. */
export const passwordSchemes: readonly string[] = [...BY_NAME.keys()]

/** A stored password, read once: `{SCHEME}text`, `{SCHEME.b64}text` (also `.base64`) or `{SCHEME.hex}text`. */
export interface StoredPassword {
  readonly scheme: string
  /** Never rejects and never throws for what a password may hold. */
  verify(password: string, threads: Hashing): Promise<Verdict>
  /** For proofs that do not show the password; `undefined` when the stored form cannot serve that kind. */
  secret(kind: SecretKind): SecretMaker | undefined
}

/**
 * Reads a stored password. Without a `{SCHEME}` prefix `defaultScheme` holds; without that either it is refused, so that a
 * forgotten prefix never turns a hash into a password. A string result says what is wrong, without showing the text.
 */
export function readStoredPassword(text: string, defaultScheme?: string): StoredPassword | string {
  const [, prefix, rest = ''] = /^\{([A-Za-z0-9.-]+)\}(.*)$/s.exec(text) ?? []
  const label = prefix ?? defaultScheme
  if (label === undefined) return 'the password has no {SCHEME} prefix'
  const [name = '', suffix] = label.toUpperCase().split('.')
  const scheme = BY_NAME.get(name)
  if (name === 'DES-CRYPT') return 'the password scheme {DES-CRYPT} is not supported: only eight characters would count'
  if (scheme === undefined || !(suffix === undefined || Object.hasOwn(SUFFIXES, suffix)))
    return `the password scheme {${label}} is not supported`
  const encoding = suffix === undefined ? undefined : SUFFIXES[suffix]
  const stored = inOwnForm(scheme, prefix === undefined ? text : rest, encoding)
  if (stored === undefined || !scheme.recognises(stored))
    return `the password is not in the form that {${label}} demands`
  return {
    scheme: name,
    verify: (password, threads) => scheme.verify(stored, password, threads),
    secret: (kind) => scheme.secret?.(stored, kind),
  }
}

/** Checks a password as it was shown against a stored one with its `{SCHEME}` prefix; false when that cannot be read. */
export async function verifyPassword(stored: string, password: string, threads: Hashing): Promise<Verdict> {
  const read = readStoredPassword(stored)
  return typeof read === 'string' ? false : verifyPresented(read, password, threads)
}

/**
 * As sent first, and where SASLprep (RFC 4013) changes the password, the prepared form second: stored hashes exist of both.
 */
export async function verifyPresented(stored: StoredPassword, password: string, threads: Hashing): Promise<Verdict> {
  const asSent = await stored.verify(password, threads)
  if (asSent !== false) return asSent
  const prepared = saslprep(password)
  return prepared !== undefined && prepared !== password && stored.verify(prepared, threads)
}

/**
 * Which of the stored passwords the work for an unknown name is done against: the same one for the same name as long as the set
 * stays, so that schemes and costs are met as often as with known users. `key` is secret, else the pick could be foretold.
 */
export function decoyFor<T>(all: readonly T[], name: string, key: Uint8Array): T | undefined {
  if (all.length === 0) return undefined
  const digest = createHash('sha256').update(key).update(name).digest()
  return all[digest.readUInt32BE(0) % all.length]
}
