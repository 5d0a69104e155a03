// SPDX-License-Identifier: MIT
import { verify } from '@node-rs/bcrypt'
import type { Scheme } from './scheme.js'

const FORM = /^\$2[aby]\$\d\d\$[./0-9A-Za-z]{53}$/

/** `{BLF-CRYPT}`: bcrypt, `$2a$`, `$2b$` and `$2y$`. Runs on libuv's threads. Only the first 72 octets of a password count. */
export const blfCryptScheme: Scheme = {
  names: ['BLF-CRYPT'],
  written: 'as-text',
  recognises: (stored) => FORM.test(stored),
  verify: async (stored, password, threads) => FORM.test(stored) && threads.native(() => verify(password, stored)),
}
