// SPDX-License-Identifier: MIT
import { equalText } from './encoding.js'
import type { Scheme } from './scheme.js'

const DEFAULT_ROUNDS = 5000
const MIN_ROUNDS = 1000

/** `{SHA256-CRYPT}`: `$5$[rounds=N$]salt$hash`, as crypt(3) writes it. */
export const sha256CryptScheme: Scheme = schemeOf(
  'SHA256-CRYPT',
  'sha256',
  /^\$5\$(?:rounds=(\d{1,9})\$)?([^$\n:]{0,16})\$([./0-9A-Za-z]{43})$/,
)

/** `{SHA512-CRYPT}`: `$6$[rounds=N$]salt$hash`, as crypt(3) writes it. */
export const sha512CryptScheme: Scheme = schemeOf(
  'SHA512-CRYPT',
  'sha512',
  /^\$6\$(?:rounds=(\d{1,9})\$)?([^$\n:]{0,16})\$([./0-9A-Za-z]{86})$/,
)

function schemeOf(name: string, algorithm: 'sha256' | 'sha512', form: RegExp): Scheme {
  return {
    names: [name],
    written: 'as-text',
    recognises: (stored) => form.test(stored),
    verify: async (stored, password, threads) => {
      const [, written, salt = '', hash = ''] = form.exec(stored) ?? []
      if (hash === '') return false
      const rounds = written === undefined ? DEFAULT_ROUNDS : Math.max(Number(written), MIN_ROUNDS)
      const computed = await threads.crypt({ algorithm, password, salt, rounds })
      return computed === undefined ? undefined : equalText(computed, hash)
    },
  }
}
