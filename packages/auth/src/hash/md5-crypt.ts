// SPDX-License-Identifier: MIT
import { equalText } from './encoding.js'
import type { Scheme } from './scheme.js'

const FORM = /^\$1\$([^$\n:]{0,8})\$([./0-9A-Za-z]{22})$/

/** `{MD5-CRYPT}`: `$1$salt$hash` of crypt(3). For accounts that have not changed their password for long. */
export const md5CryptScheme: Scheme = {
  names: ['MD5-CRYPT'],
  written: 'as-text',
  recognises: (stored) => FORM.test(stored),
  verify: async (stored, password, threads) => {
    const [, salt, hash = ''] = FORM.exec(stored) ?? []
    if (salt === undefined) return false
    const computed = await threads.crypt({ algorithm: 'md5', password, salt, rounds: 0 })
    return computed === undefined ? undefined : equalText(computed, hash)
  },
}
