// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import type { StoredSecret } from '@portico/sasl'
import { equalBytes } from './encoding.js'
import { type Md5State, md5Block, md5Finish, stateOctets } from './md5.js'
import type { Scheme } from './scheme.js'

const FORM = /^[0-9a-f]{64}$/
const BLOCK = 64
const STATE = 16

/**
 * `{CRAM-MD5}`: the states of HMAC-MD5 under the password after the outer and the inner key block, in hex. Whoever has them can
 * prove by CRAM-MD5, so that they are as good as the password there.
 */
export const cramMd5Scheme: Scheme = {
  names: ['CRAM-MD5', 'HMAC-MD5'],
  written: 'hex',
  octets: 32,
  recognises: (stored) => FORM.test(stored),
  verify: async (stored, password) =>
    FORM.test(stored) && equalBytes(Buffer.from(stored, 'hex'), cramMd5States(password)),
  secret: (stored, kind) =>
    kind === 'CRAM-MD5' && FORM.test(stored) ? async () => cramMd5Secret(Buffer.from(stored, 'hex')) : undefined,
}

/** The 32 octets that are stored of a password: outer state, inner state. */
export function cramMd5States(password: string): Buffer {
  const octets = Buffer.from(password)
  const key = Buffer.alloc(BLOCK)
  key.set(octets.length > BLOCK ? createHash('md5').update(octets).digest() : octets)
  const [outer, inner] = [0x5c, 0x36].map((pad) => stateOctets(md5Block(key.map((octet) => octet ^ pad))))
  return Buffer.concat([outer ?? key, inner ?? key])
}

/** Computes right answers from the 32 octets. */
export function cramMd5Secret(states: Buffer): StoredSecret {
  return {
    kind: 'cram-md5',
    digest: (challenge) => md5Finish(md5Finish(challenge, stateAt(states, STATE), BLOCK), stateAt(states, 0), BLOCK),
  }
}

function stateAt(octets: Buffer, at: number): Md5State {
  return [octets.readInt32LE(at), octets.readInt32LE(at + 4), octets.readInt32LE(at + 8), octets.readInt32LE(at + 12)]
}
