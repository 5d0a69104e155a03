// SPDX-License-Identifier: MIT
import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { equalBytes } from './encoding.js'
import type { Scheme } from './scheme.js'

const FORM = /^\$1\$([^$\n:]{1,64})\$(\d{1,8})\$([0-9a-f]{40})$/
const derive = promisify(pbkdf2)

/** `{PBKDF2}`: `$1$salt$rounds$hash`, PBKDF2 (RFC 8018) over HMAC-SHA-1 in hex. Runs on libuv's threads. */
export const pbkdf2Scheme: Scheme = {
  names: ['PBKDF2'],
  written: 'as-text',
  recognises: (stored) => Number(FORM.exec(stored)?.[2]) > 0,
  verify: async (stored, password, threads) => {
    const [, salt = '', rounds = '', hash = ''] = FORM.exec(stored) ?? []
    if (!(Number(rounds) > 0)) return false
    const expected = Buffer.from(hash, 'hex')
    const derived = await threads.native(() => derive(password, salt, Number(rounds), expected.length, 'sha1'))
    return derived === undefined ? undefined : equalBytes(derived, expected)
  },
}
