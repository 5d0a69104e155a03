// SPDX-License-Identifier: MIT
import { verifyPassword } from '@portico/auth'
import { describe, expect, test } from 'vitest'
import { readStoredPassword } from '../src/hash/index.js'

const HELLO = '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1'
const SSHA512 = 'E491yrR9AdCoE7rbOPYS3EZgSuZpVE65AD9xko08s6floNesY/Zpe9zMVvLix4S2FiQSJ99RIkNvhHomNO9uL3NhbHQ='
const SHA512 = 'vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRpayrW/isg=='
const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex')
const BCRYPT = '05$CCCCCCCCCCCCCCCCCCCCC.pIKrLVkBX9/OvQMSygY1pWEVn72t6na'

const VECTORS = [
  ['PLAIN', '{PLAIN}secret', 'secret'],
  ['CLEARTEXT in lower case', '{cleartext}secret', 'secret'],
  ['PLAIN with a brace', '{PLAIN}{PLAIN}', '{PLAIN}'],
  ['SHA512', `{SHA512}${SHA512}`, 'secret'],
  ['SHA512 in hex', `{SHA512.hex}${hex(SHA512)}`, 'secret'],
  ['SSHA512', `{SSHA512}${SSHA512}`, 'secret'],
  ['SSHA512 marked base64', `{SSHA512.b64}${SSHA512}`, 'secret'],
  ['SSHA512 in hex', `{SSHA512.HEX}${hex(SSHA512)}`, 'secret'],
  ['SHA512-CRYPT of openssl passwd -6', `{SHA512-CRYPT}${HELLO}`, 'Hello world!'],
  [
    'SHA512-CRYPT, UTF-8',
    '{SHA512-CRYPT}$6$short$9iFJ8TIAzUi/5d7nY6ZCSU24FwYuYDX2MpgGAS3AwfBppx1W4yExxJ9yxmxpXe9eLWoJPwqHOgU2qyYuxfr0e1',
    'pässword ünïcode',
  ],
  [
    'SHA512-CRYPT, 200 octets',
    '{SHA512-CRYPT}$6$abcdefghijklmnop$NQmdZYyTZiBzxauWT51pbz4CykfZ5QuZjUyYs6SQHccQfiPrjNLaM6yE6kW1wImO/6eb0E1euwuEI0mUEI7IE0',
    'x'.repeat(200),
  ],
  [
    'SHA512-CRYPT with rounds, of crypt(3)',
    '{SHA512-CRYPT}$6$rounds=1234$pepper$DMnSpNnF7hbX8gZYqEuzniMEb/4GMxnPaBkeWbutfynCyniMAhgVN/myjLsku2Aoo50sLLmg0vFAAL6u5WjuL1',
    'secret',
  ],
  ['CRYPT, told apart by $6$', `{CRYPT}${HELLO}`, 'Hello world!'],
  ['BLF-CRYPT $2y$', `{BLF-CRYPT}$2y$${BCRYPT}`, 'secret'],
  ['BLF-CRYPT $2b$', `{BLF-CRYPT}$2b$${BCRYPT}`, 'secret'],
  ['BLF-CRYPT $2a$', '{BLF-CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  ['CRYPT, told apart by $2y$', `{CRYPT}$2y$${BCRYPT}`, 'secret'],
  [
    'ARGON2ID',
    '{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
    'password',
  ],
] as const

describe('stored passwords', () => {
  test.each(VECTORS)('%s', async (_label, stored, password) => {
    expect(await verifyPassword(stored, password)).toBe(true)
    expect(await verifyPassword(stored, `${password} `)).toBe(false)
    expect(await verifyPassword(stored, '')).toBe(false)
  })

  test.each([
    ['no prefix', 'secret', /no \{SCHEME\} prefix/],
    ['a hash without its prefix', HELLO, /no \{SCHEME\} prefix/],
    ['a scheme that is not supported', '{MD5}abc', /\{MD5\} is not supported/],
    ['a suffix that is not supported', `{SSHA512.b32}${SSHA512}`, /not supported/],
    ['a suffix where the scheme has none', `{SHA512-CRYPT.hex}${HELLO}`, /form/],
    ['a digest without salt as SSHA512', `{SSHA512}${SHA512}`, /form/],
    ['a digest with salt as SHA512', `{SHA512}${SSHA512}`, /form/],
    ['half a digest in hex', `{SHA512.hex}${hex(SHA512)}a`, /form/],
    ['a cut $6$', `{SHA512-CRYPT}${HELLO.slice(0, -1)}`, /form/],
    ['bcrypt as SHA512-CRYPT', `{SHA512-CRYPT}$2y$${BCRYPT}`, /form/],
    ['an empty PLAIN', '{PLAIN}', /form/],
    ['argon2 without parameters', '{ARGON2ID}$argon2id$c29tZXNhbHQ', /form/],
  ])('%s is refused when it is read, and matches nothing', async (_label, stored, reason) => {
    expect(readStoredPassword(stored)).toMatch(reason)
    expect(await verifyPassword(stored, 'secret')).toBe(false)
  })

  test('the text of a refusal never shows what was stored', () => {
    for (const stored of ['hunter2', '{MD5}hunter2', '{SSHA512}hunter2']) {
      expect(readStoredPassword(stored)).not.toContain('hunter2')
    }
  })

  test('a password that SASLprep changes matches in both forms (RFC 4013)', async () => {
    expect(await verifyPassword('{PLAIN}a b', 'a\u00a0b')).toBe(true)
    expect(await verifyPassword('{PLAIN}a\u00a0b', 'a\u00a0b')).toBe(true)
    expect(await verifyPassword('{PLAIN}a\u00a0b', 'a b')).toBe(false)
  })

  test('hashing leaves the event loop free: 20 at once, and other work goes on in between', async () => {
    let turns = 0
    let running = true
    const turn = () => {
      turns += 1
      if (running) setImmediate(turn)
    }
    setImmediate(turn)
    await Promise.all(Array.from({ length: 20 }, () => verifyPassword(`{SHA512-CRYPT}${HELLO}`, 'wrong')))
    running = false
    // 5,000 rounds are 20 turns each; run one after the other they cannot share one.
    expect(turns).toBeGreaterThan(350)
  })
})
