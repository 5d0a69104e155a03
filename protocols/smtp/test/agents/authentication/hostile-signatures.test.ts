// SPDX-License-Identifier: MIT
import { createPublicKey } from 'node:crypto'
import { NEVER } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { findSignatures, MOST_SIGNATURES } from '../../../src/agents/authentication/dkim.js'
import { LARGEST_MESSAGE, verifySignatures } from '../../../src/agents/authentication/signatures.js'
import { readSigned } from '../../../src/agents/authentication/signed-message.js'
import { type FakeEntry, fakeResolver } from '../fake-resolver.js'
import {
  dkimOf,
  ed25519Key,
  lines,
  NOW,
  rsaKey,
  type SignOptions,
  spooled,
  verdictsOf,
  withSignature,
} from './support.js'

const KEY = rsaKey()
const MESSAGE = lines('From: alice@test.lan\nSubject: hello\n\nHi.\n')
const seconds = NOW / 1_000

function published(record: string, domain = 'test.lan'): readonly FakeEntry[] {
  return [[`s1._domainkey.${domain}`, 'TXT', [record]]]
}

function judge(options: SignOptions, record = KEY.record, message = MESSAGE): Promise<readonly string[]> {
  return dkimOf(withSignature(message, KEY, options), published(record))
}

describe('what a signature says (RFC 6376 section 6.1.1)', () => {
  test.each([
    ['nothing unusual', {}, 'pass'],
    ['a version that nobody knows', { v: '2' }, 'permerror: unknown version'],
    ['no version', { v: undefined }, 'permerror: unknown version'],
    ['SHA-1, which is no proof (RFC 8301)', { a: 'rsa-sha1' }, 'policy: rsa-sha1 is too weak'],
    ['an algorithm that nobody knows', { a: 'rsa-md5' }, 'permerror: unknown algorithm'],
    ['the algorithm of another key', { a: 'ed25519-sha256' }, 'fail: signature does not verify'],
    ['From not signed', { h: 'subject' }, 'permerror: From is not signed'],
    ['no list of fields', { h: undefined }, 'permerror: bad list of signed fields'],
    ['thousands of names', { h: `from${':x'.repeat(3_000)}` }, 'policy: too many signed fields'],
    ['a colon as a name', { h: 'from::subject' }, 'permerror: bad list of signed fields'],
    ['a user of another domain', { i: 'alice@other.lan' }, 'permerror: identity is not in the signing domain'],
    [
      'a user of a domain that only ends like it',
      { i: '@evil-test.lan' },
      'permerror: identity is not in the signing domain',
    ],
    ['a user of a domain below', { i: 'a=20b@sub.test.lan' }, 'pass'],
    ['no domain', { d: undefined }, 'permerror: bad signing domain'],
    ['a domain with a dot behind', { d: 'test.lan.' }, 'permerror: bad signing domain'],
    ['a domain with an empty label', { d: 'test..lan' }, 'permerror: bad signing domain'],
    ['a domain with a comment', { d: 'test.lan(evil.lan)' }, 'permerror: bad signing domain'],
    ['a domain in quotes', { d: '"test.lan"' }, 'permerror: bad signing domain'],
    ['a domain of octets that are not UTF-8', { d: 'test\xff.lan' }, 'permerror: bad signing domain'],
    ['two domains', { d: 'test.lan other.lan' }, 'permerror: bad signing domain'],
    ['a NUL in the domain', { d: 'test.lan\0.other.lan' }, 'policy: header cannot be read in one way only'],
    ['a selector that leads elsewhere', { s: 's1._domainkey.other.lan.' }, 'permerror: bad selector'],
    ['a selector with labels', { s: 'a.b' }, 'permerror: no key'],
    ['a selector of spaces', { s: 'a b' }, 'permerror: bad selector'],
    ['a canonicalization that nobody knows', { c: 'nofws' }, 'permerror: unknown canonicalization'],
    ['three of them', { c: 'relaxed/simple/simple' }, 'permerror: unknown canonicalization'],
    ['another way to ask for the key', { q: 'http' }, 'permerror: unknown query method'],
    ['several ways', { q: 'http:dns/txt' }, 'pass'],
    ['bad base64', { b: '!!!!' }, 'permerror: bad signature value'],
    ['no value', { b: '' }, 'permerror: bad signature value'],
    ['a huge value', { b: 'A'.repeat(4_000) }, 'policy: signature value too long'],
    ['a value of another message', { b: 'AAAA' }, 'fail: signature does not verify'],
    ['bad base64 for the body', { bh: '(((' }, 'permerror: bad body hash'],
    ['all of the body, counted', { l: '5' }, 'pass'],
    ['a length that is no number', { l: '-1' }, 'permerror: bad body length'],
    ['more than there is', { l: '99999999999999999999999999' }, 'pass'],
    ['expired', { x: String(seconds - 1) }, 'fail: expired'],
    ['not yet expired', { x: String(seconds + 1) }, 'pass'],
    ['expired before it was made', { t: '9', x: '8' }, 'permerror: expires before it was made'],
    ['a time that is no number', { t: 'now' }, 'permerror: bad time'],
    ['copied fields with quotes and parentheses', { z: 'From:a|Subject:"(;b='.replace(';', '=3B') }, 'pass'],
    ['tags that nobody knows', { zz: 'x' }, 'pass'],
    ['a tag with a bad name', { '1a': 'x' }, 'neutral: bad signature syntax'],
    ['octets that are UTF-8 where they may be', { z: 'caff\xc3\xa8' }, 'pass'],
    ['a field of more than any signature has', { z: 'x'.repeat(9_000) }, 'neutral: signature too long'],
  ] as const)('%s', async (_label, tags, expected) => {
    expect(await judge({ tags })).toEqual([expected])
  })

  test('a part of the body only: what was put behind it would be shown as signed (section 8.2)', async () => {
    const message = Buffer.concat([MESSAGE, Buffer.from('Buy this.\r\n')])
    expect(await judge({ tags: { l: '5' }, body: 'Hi.\r\n' }, KEY.record, message)).toEqual([
      'policy: part of the body is not signed',
    ])
    expect(await judge({ tags: { l: '0' }, body: '' }, KEY.record, message)).toEqual([
      'policy: part of the body is not signed',
    ])
  })

  test('a tag that comes twice, of which each reader would choose another (section 3.2)', async () => {
    const twice = withSignature(MESSAGE, KEY, { tags: { d: 'test.lan; d=other.lan' } })
    expect(await dkimOf(twice, published(KEY.record))).toEqual(['neutral: bad signature syntax'])
  })

  test('a second From in front of the signed one is seen by nobody who reads the signature, and refused elsewhere', async () => {
    const message = withSignature(MESSAGE, KEY)
    const twice = Buffer.concat([Buffer.from('From: eve@other.lan\r\n'), message])
    expect(await dkimOf(twice, published(KEY.record))).toEqual(['pass'])
    const oversigned = withSignature(MESSAGE, KEY, { fields: ['from', 'from'] })
    expect(
      await dkimOf(Buffer.concat([Buffer.from('From: eve@other.lan\r\n'), oversigned]), published(KEY.record)),
    ).toEqual(['fail: signature does not verify'])
  })

  test('raw UTF-8 in a signed field, and a domain that is not ASCII (RFC 8616)', async () => {
    const message = lines('From: alice@test.lan\nSubject: caff\xc3\xa8 voil\xc3\xa0  l\xc3\xa0\n\nHi.\n')
    expect(await judge({}, KEY.record, message)).toEqual(['pass'])
    const eai = withSignature(message, KEY, { tags: { d: 'm\xc3\xbcller.lan' } })
    expect(await dkimOf(eai, published(KEY.record, 'xn--mller-kva.lan'))).toEqual(['pass'])
  })

  test('a bare LF or CR in the header: readers do not agree where its lines end', async () => {
    const message = Buffer.from('From: alice@test.lan\r\nSubject: a\nFrom: eve@other.lan\r\n\r\nHi.\r\n')
    expect(await judge({}, KEY.record, message)).toEqual(['policy: header cannot be read in one way only'])
  })
})

describe('what the key says (RFC 6376 section 6.1.2)', () => {
  const p = KEY.record.slice(KEY.record.indexOf('p='))
  test.each([
    ['only the key', p, 'pass'],
    ['all that may stand there', `v=DKIM1; h=sha1:sha256; s=email; t=s; n=note; ${p};`, 'pass'],
    ['another version', `v=DKIM2; ${p}`, 'permerror: unknown key version'],
    ['another type', `k=dsa; ${p}`, 'permerror: unknown key type'],
    ['only SHA-1', `h=sha1; ${p}`, 'permerror: key is not for SHA-256'],
    ['not for mail', `s=tlsrpt; ${p}`, 'permerror: key is not for mail'],
    ['revoked', 'v=DKIM1; p=', 'permerror: key revoked'],
    ['no base64', 'p=%%%', 'permerror: bad key'],
    ['no key', 'p=AAAA', 'permerror: bad key'],
    [
      'the key of another algorithm in the place of RSA',
      ed25519Key().record.replace('k=ed25519', 'k=rsa'),
      'permerror: bad key',
    ],
    ['too short', rsaKey(768).record, 'policy: key too short'],
    ['longer than anybody has to take', `p=${'A'.repeat(3_000)}`, 'permerror: bad key record'],
    ['a tag twice', `${p}; ${p}`, 'permerror: bad key record'],
    ['something else', 'v=spf1 -all', 'permerror: no key'],
  ])('%s', async (_label, record, expected) => {
    expect(await judge({}, record)).toEqual([expected])
  })

  test('too long', async () => {
    expect(await judge({}, rsaKey(4_104).record)).toEqual(['policy: key too long'])
  })

  test('whose exponent makes every verification slow', async () => {
    const number = (size: number, octet: number) => Buffer.alloc(size, octet).toString('base64url')
    const key = createPublicKey({ key: { kty: 'RSA', n: number(256, 0xff), e: number(200, 0x7f) }, format: 'jwk' })
    const record = `p=${key.export({ type: 'spki', format: 'der' }).toString('base64')}`
    expect(await judge({}, record)).toEqual(['policy: exponent of the key too large'])
  })

  test('for the domain itself only (t=s)', async () => {
    expect(await judge({ tags: { i: '@sub.test.lan' } }, `t=s; ${p}`)).toEqual([
      'permerror: key is for the signing domain only',
    ])
  })

  test('on trial (t=y): what does not verify means nothing', async () => {
    expect(await judge({ tags: { b: 'AAAA' } }, `t=y; ${p}`)).toEqual(['neutral: signing is on trial'])
    expect(await judge({}, `t=y; ${p}`)).toEqual(['pass'])
  })

  test.each([
    ['does not exist', 'no-name', 'permerror: no key'],
    ['has no such record', 'no-data', 'permerror: no key'],
    ['SERVFAIL', 'servfail', 'temperror: no answer from the DNS'],
    ['time-out', 'timeout', 'temperror: no answer from the DNS'],
    ['refused', 'refused', 'temperror: no answer from the DNS'],
    ['two keys', [KEY.record, ed25519Key().record], 'permerror: several keys'],
    ['a key beside what a wildcard has', ['v=spf1 -all', KEY.record], 'pass'],
  ] as const)('the DNS: %s', async (_label, what, expected) => {
    expect(await dkimOf(withSignature(MESSAGE, KEY), [['s1._domainkey.test.lan', 'TXT', what]])).toEqual([expected])
  })
})

describe('what a message may cost', () => {
  test('thousands of signatures: the first ones are looked at, the others are fields like any other', async () => {
    const one = withSignature(MESSAGE, KEY)
    const field = one.subarray(0, one.length - MESSAGE.length)
    const message = Buffer.concat([...Array.from({ length: 4_000 }, () => field), MESSAGE])
    const { message: kept, fields } = await spooled(message)
    const signed = await readSigned(kept, fields)
    if (signed === undefined) throw new Error('unreadable')
    expect(findSignatures(signed)).toHaveLength(MOST_SIGNATURES)
    expect(await dkimOf(message, published(KEY.record))).toEqual(Array.from({ length: MOST_SIGNATURES }, () => 'pass'))
  })

  test('more fields than are read: no signature over them means anything', async () => {
    const message = Buffer.concat([Buffer.from('X: 1\r\n'.repeat(5_100)), withSignature(MESSAGE, KEY)])
    expect(await dkimOf(message, published(KEY.record))).toEqual([])
    const front = Buffer.concat([
      withSignature(MESSAGE, KEY).subarray(0, -MESSAGE.length),
      Buffer.from('X: 1\r\n'.repeat(5_100)),
      MESSAGE,
    ])
    expect(await dkimOf(front, published(KEY.record))).toEqual(['policy: header cannot be read in one way only'])
  })

  test('white space without end in a signature, folded as often as it can be', async () => {
    const blank = withSignature(MESSAGE, KEY, { tags: { z: ' '.repeat(7_000), n: '\r\n '.repeat(200) } })
    expect(await dkimOf(blank, published(KEY.record))).toEqual(['pass'])
  })

  test('a message that is too large is not read', async () => {
    const { message, fields } = await spooled(withSignature(MESSAGE, KEY))
    let reads = 0
    const large = {
      ...message,
      size: LARGEST_MESSAGE + 1,
      read: () => Promise.resolve('done' as const).finally(() => (reads += 1)),
      start: () => Promise.resolve(undefined).finally(() => (reads += 1)),
    }
    const verdicts = await verifySignatures(
      { message: large, fields },
      { resolver: fakeResolver(), signal: NEVER, now: NOW },
    )
    expect(verdicts.dkim).toEqual([{ result: 'policy', why: 'message too large' }])
    expect(reads).toBe(0)
  })

  test('nor is one without signatures', async () => {
    expect(await verdictsOf(MESSAGE, [])).toEqual({ dkim: [], arc: { result: 'none', seals: [] } })
  })
})
