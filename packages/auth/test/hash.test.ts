// SPDX-License-Identifier: MIT
import { verifyPassword } from '@portico/auth'
import { describe, expect, test } from 'vitest'
import { readStoredPassword } from '../src/hash/index.js'
import { hashThreads } from './helpers.js'

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
  ['SHA of doveadm pw', '{SHA}1YjrsZJ/LraswfY45F83z3nM4GU=', 'pässword 17'],
  ['SHA1 of doveadm pw', '{SHA1}1YjrsZJ/LraswfY45F83z3nM4GU=', 'pässword 17'],
  ['SSHA of doveadm pw', '{SSHA}irwE59jVfm8JxBV6qYyU3xnwPzbqOLbk', 'pässword 17'],
  ['SHA256 of doveadm pw', '{SHA256}z5TvZL3GB2dVPXJ000iqBrDw0eORtNby3FxyimfMMww=', 'pässword 17'],
  ['SSHA256 of doveadm pw', '{SSHA256}OfXW/gL+LMaEyLEGuvpyJweNzYCvvuPI1GuAuv+1IWwrkWLQ', 'pässword 17'],
  [
    'SHA256.hex of doveadm pw',
    '{SHA256.HEX}cf94ef64bdc60767553d7274d348aa06b0f0d1e391b4d6f2dc5c728a67cc330c',
    'pässword 17',
  ],
  ['SSHA.b64 of doveadm pw', '{SSHA.B64}ToVR6TQq1hG21fy/6yTP0gCHC4As9kqE', 'pässword 17'],
  [
    'SHA256-CRYPT of doveadm pw',
    '{SHA256-CRYPT}$5$rbC8hPg.qLYHHJkB$xqAdehknLK3yaDj4vynPRWR/EBcQiosCpBWZL2hKIZD',
    'pässword 17',
  ],
  ['MD5-CRYPT of doveadm pw', '{MD5-CRYPT}$1$ycE/Zh7R$dDFpTrmkLIYDzzKCwDxki.', 'pässword 17'],
  ['PBKDF2 of doveadm pw', '{PBKDF2}$1$ZJBTsKe4Lxz79q7z$5000$3d41f2ce5f0d33bbf4819f41a07a03aca48f12ae', 'pässword 17'],
  [
    'SCRAM-SHA-1 of doveadm pw',
    '{SCRAM-SHA-1}4096,g6eYfy/NqVedzMZcgMuG/w==,TUD3nbV7lsbgcNWgDtS8gxEYvv4=,DAS0lJK9O9i7FkKazyeLVDJ8/RQ=',
    'pässword 17',
  ],
  [
    'SCRAM-SHA-256 of doveadm pw',
    '{SCRAM-SHA-256}4096,HGXQye6di0g29T2o8OWHIw==,AvMEvG6cBEW3p0q+VkQbnQwmeHrmVpSjXkpmFvzdjJY=,cGTd15zqHhUPuMaBI1QZXQLwEFgsrtZ1Un+kfYw8iDI=',
    'pässword 17',
  ],
  [
    'CRAM-MD5 of doveadm pw',
    '{CRAM-MD5}a29239fe8c9c310299785c04b21c337c0e2eff2ce507ae1aa393de4fb0292cb5',
    'pässword 17',
  ],
  [
    'SHA256-CRYPT with rounds',
    '{SHA256-CRYPT}$5$rounds=1234$wbchj0zIFhOyTElJ$6cfpsEmBuzuhczFz/zPhfpix65X1dkqZQ7Td0Xxi4FA',
    'secret',
  ],
  [
    'CRAM-MD5, 100 octets',
    '{CRAM-MD5}52197db948d0932512a61b183e7d05b04e94d60a3bb0d00f92d3df52a5d275ca',
    'x'.repeat(100),
  ],
  ['MD5-CRYPT, 100 octets', '{MD5-CRYPT}$1$.tydtvx8$Z0cRXMqsxd/cVwoP1mNTK.', 'x'.repeat(100)],
  [
    'SHA256-CRYPT, 100 octets',
    '{SHA256-CRYPT}$5$CSATj.UvOPQGhyRu$EIH6Rx68kf7aBH0qjGSX9kyx/Sp5zc6ZftbezTKJeCA',
    'x'.repeat(100),
  ],
  [
    'ARGON2I of doveadm pw',
    '{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$r1E+k7Y5zfoQqHyrLIAy1A$/YRQ2o/cCy18h/hfqAArnQ7wl3zWdNJ/DvyvBTUNWmI',
    'secret',
  ],
  ['SMD5 of doveadm pw', '{SMD5}zUS0dLh5mTec91eZkp8GWcGXFxw=', 'pässword 17'],
  ['SMD5.hex of doveadm pw', '{SMD5.HEX}543601e48e003077781060179d94756d50206206', 'pässword 17'],
  ['LDAP-MD5 of doveadm pw', '{LDAP-MD5}4xtXst+D5OjTsHObXC7KgA==', 'pässword 17'],
  ['LDAP-MD5.hex of doveadm pw', '{LDAP-MD5.HEX}e31b57b2df83e4e8d3b0739b5c2eca80', 'pässword 17'],
  ['LDAP-MD5 in hex without a suffix', '{LDAP-MD5}e31b57b2df83e4e8d3b0739b5c2eca80', 'pässword 17'],
  ['PLAIN-MD5 of doveadm pw', '{PLAIN-MD5}e31b57b2df83e4e8d3b0739b5c2eca80', 'pässword 17'],
  ['PLAIN-MD5.b64 of doveadm pw', '{PLAIN-MD5.B64}4xtXst+D5OjTsHObXC7KgA==', 'pässword 17'],
  ['PLAIN-MD5 in base64 without a suffix', '{PLAIN-MD5}4xtXst+D5OjTsHObXC7KgA==', 'pässword 17'],
  ['MD5 of doveadm pw', '{MD5}$1$ON8GIYWV$kQZprArBLnkoJ4xDdFTqL0', 'pässword 17'],
  ['MD5 as a bare digest', '{MD5}e31b57b2df83e4e8d3b0739b5c2eca80', 'pässword 17'],
  [
    'HMAC-MD5 of doveadm pw',
    '{HMAC-MD5}a29239fe8c9c310299785c04b21c337c0e2eff2ce507ae1aa393de4fb0292cb5',
    'pässword 17',
  ],
  ['CRAM-MD5.b64 of doveadm pw', '{CRAM-MD5.B64}opI5/oycMQKZeFwEshwzfA4u/yzlB64ao5PeT7ApLLU=', 'pässword 17'],
  ['PLAIN.b64 of doveadm pw', '{PLAIN.B64}cMOkc3N3b3JkIDE3', 'pässword 17'],
  ['PLAIN.base64', '{plain.base64}cMOkc3N3b3JkIDE3', 'pässword 17'],
  ['PLAIN.hex of doveadm pw', '{PLAIN.HEX}70c3a47373776f7264203137', 'pässword 17'],
  ['SSHA.base64 of doveadm pw', '{SSHA.BASE64}aBSSMGJUPCnod9w+kyvU5G1j/BrTw3DA', 'pässword 17'],
  [
    'SHA256 in hex without a suffix',
    '{SHA256}cf94ef64bdc60767553d7274d348aa06b0f0d1e391b4d6f2dc5c728a67cc330c',
    'pässword 17',
  ],
  [
    'SHA512-CRYPT.b64 of doveadm pw',
    '{SHA512-CRYPT.B64}JDYkMlhwTjBmWkJwdmszTllHLyRqVGJjUTVOSTBSRkRBNzZmUUszMnVPVVhGRU94cmRlcnB1d01iOFZLM0hQdlducWNjd1MzRHUuSXVMZUx4THJYa3F4OEQ4V2hpdFYzRjMuNzlWNGZSLw==',
    'pässword 17',
  ],
  [
    'BLF-CRYPT.b64 of doveadm pw',
    '{BLF-CRYPT.B64}JDJ5JDA1JGlFdHFxT3MwWVFSSEZjdVg0dnpaUU9oM1FsQXA4OXdQVlhxR2s2YmQxdjhmakxHOGdLYTJl',
    'pässword 17',
  ],
  [
    'SCRAM-SHA-1.b64 of doveadm pw',
    '{SCRAM-SHA-1.B64}NDA5NixPckR1TkptcXo4UmlsanZEMm5VWHh3PT0sZkg1S3FjYS9oUWR3UEZkeEhFbWtIMFVKbTNjPSx4eHZ4dVJHZXRxaXI4VDRzM25SZkQ1VndUcXc9',
    'pässword 17',
  ],
  [
    'CRYPT, told apart by $5$',
    '{CRYPT}$5$zSWMJWdY9iUXtJ.3$5pzBNOLIqO1w1FS675ZvD8czlWpAzoLj9ih2PgvGGH.',
    'x'.repeat(100),
  ],
] as const

describe('stored passwords', () => {
  test.each(VECTORS)('%s', async (_label, stored, password) => {
    expect(await verifyPassword(stored, password, hashThreads)).toBe(true)
    expect(await verifyPassword(stored, `${password} `, hashThreads)).toBe(false)
    expect(await verifyPassword(stored, '', hashThreads)).toBe(false)
  })

  test.each([
    ['no prefix', 'secret', /no \{SCHEME\} prefix/],
    ['a hash without its prefix', HELLO, /no \{SCHEME\} prefix/],
    ['a scheme that is not supported', '{OTP}abc', /\{OTP\} is not supported/],
    ['DES-CRYPT', '{DES-CRYPT}gaNKoOFLDY.6Y', /\{DES-CRYPT\} is not supported: only eight characters would count/],
    ['something else as MD5', '{MD5}abc', /form/],
    ['a suffix that is not supported', `{SSHA512.b32}${SSHA512}`, /not supported/],
    ['a text that is not written as its suffix says', `{SHA512-CRYPT.hex}${HELLO}`, /form/],
    ['a text that is no UTF-8', '{PLAIN.hex}ff', /form/],
    ['a suffix that every object has', '{PLAIN.constructor}abc', /not supported/],
    ['a digest without salt as SSHA512', `{SSHA512}${SHA512}`, /form/],
    ['a digest with salt as SHA512', `{SHA512}${SSHA512}`, /form/],
    ['half a digest in hex', `{SHA512.hex}${hex(SHA512)}a`, /form/],
    ['a cut $6$', `{SHA512-CRYPT}${HELLO.slice(0, -1)}`, /form/],
    ['bcrypt as SHA512-CRYPT', `{SHA512-CRYPT}$2y$${BCRYPT}`, /form/],
    ['a digest of the wrong length as SHA256', `{SHA256}${SHA512}`, /form/],
    ['$6$ as SHA256-CRYPT', `{SHA256-CRYPT}${HELLO}`, /form/],
    ['PBKDF2 of no rounds', `{PBKDF2}$1$salt$0$${'0'.repeat(40)}`, /form/],
    ['SCRAM keys of the wrong length', '{SCRAM-SHA-256}4096,AAAA,AAAA,AAAA', /form/],
    ['SCRAM of no iterations', `{SCRAM-SHA-1}0,AAAA,${'A'.repeat(27)}=,${'A'.repeat(27)}=`, /form/],
    ['half a CRAM-MD5', `{CRAM-MD5}${'0'.repeat(32)}`, /form/],
    ['an empty PLAIN', '{PLAIN}', /form/],
    ['argon2 without parameters', '{ARGON2ID}$argon2id$c29tZXNhbHQ', /form/],
  ])('%s is refused when it is read, and matches nothing', async (_label, stored, reason) => {
    expect(readStoredPassword(stored)).toMatch(reason)
    expect(await verifyPassword(stored, 'secret', hashThreads)).toBe(false)
  })

  test('the text of a refusal never shows what was stored', () => {
    for (const stored of ['hunter2', '{OTP}hunter2', '{SSHA512}hunter2']) {
      expect(readStoredPassword(stored)).not.toContain('hunter2')
    }
  })

  test('a password that SASLprep changes matches in both forms (RFC 4013)', async () => {
    expect(await verifyPassword('{PLAIN}a b', 'a\u00a0b', hashThreads)).toBe(true)
    expect(await verifyPassword('{PLAIN}a\u00a0b', 'a\u00a0b', hashThreads)).toBe(true)
    expect(await verifyPassword('{PLAIN}a\u00a0b', 'a b', hashThreads)).toBe(false)
  })
})
