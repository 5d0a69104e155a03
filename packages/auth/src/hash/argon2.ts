// SPDX-License-Identifier: MIT
import { verify } from '@node-rs/argon2'
import type { Scheme } from './scheme.js'

const FORM = /^\$argon2id?\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/

/** `{ARGON2ID}` and `{ARGON2I}`: the PHC string of RFC 9106. Runs on libuv's threads. */
export const argon2Scheme: Scheme = {
  names: ['ARGON2ID', 'ARGON2I'],
  written: 'as-text',
  recognises: (stored) => FORM.test(stored),
  // The package rejects for parameters out of range; for us that is a hash that nothing matches.
  verify: async (stored, password, threads) =>
    FORM.test(stored) && threads.native(() => verify(stored, password).catch(() => false)),
}
