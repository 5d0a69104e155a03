// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { canonicalField } from '../../../src/agents/authentication/canonical-header.js'
import { readResults } from '../../../src/agents/authentication/results-field.js'
import type { FakeEntry } from '../fake-resolver.js'
import { lines, rsaKey, signed, type TestKey, verdictsOf, withSignature } from './support.js'

const KEY = rsaKey()
const MESSAGE = lines('From: alice@test.lan\nSubject: hello\n\nHi.\n')
const KEYS: readonly FakeEntry[] = ['one.lan', 'two.lan'].map((domain) => [
  `s1._domainkey.${domain}`,
  'TXT',
  [KEY.record],
])

interface SealOptions {
  readonly sealer: string
  readonly cv?: string
  readonly results?: string
  /** Further tags of the seal. */
  readonly more?: string
  readonly fields?: readonly string[]
  readonly key?: TestKey
}

/** Adds a set as a server does that passes a message on (RFC 8617 section 5.1). */
function sealed(
  message: Buffer,
  { sealer, cv, results, more = '', fields = ['from', 'subject'], key = KEY }: SealOptions,
): Buffer {
  const before = [...message.toString('latin1').matchAll(/^ARC-[^\r]*\r\n/gm)].map(([field]) => field)
  const instance = before.length / 3 + 1
  const tags = { v: undefined, i: String(instance), d: sealer }
  const withAms = withSignature(message, key, { name: 'ARC-Message-Signature', tags, fields }).toString('latin1')
  const ams = withAms.slice(0, withAms.indexOf('\r\n') + 2)
  const aar = `ARC-Authentication-Results: i=${instance}; mx.${sealer}; ${results ?? 'dmarc=pass header.from=test.lan'}\r\n`
  const seal = `ARC-Seal: i=${instance}; a=rsa-sha256; cv=${cv ?? (instance === 1 ? 'none' : 'pass')}; d=${sealer}; s=s1;${more} b=`
  // The newest is in front; of each set, results, signature and seal are signed in this order.
  const sets = [[seal, ams, aar].join(''), ...chunked(before)]
  const text = sets
    .toReversed()
    .flatMap((set) => (set.startsWith('ARC-Seal') && set.includes(seal) ? [aar, ams] : partsOf(set)))
    .map((field) => `${canonicalField(field, 'relaxed')}\r\n`)
    .join('')
  const value = signed(key, `${text}${canonicalField(`${seal}\r\n`, 'relaxed')}`)
  return Buffer.concat([Buffer.from(`${seal}${value}\r\n${ams}${aar}`, 'latin1'), message])
}

function chunked(fields: readonly string[]): readonly string[] {
  return fields.flatMap((_field, at) => (at % 3 === 0 ? [fields.slice(at, at + 3).join('')] : []))
}

/** Results, signature and seal of a set that was written with the seal first. */
function partsOf(set: string): readonly string[] {
  return set.split(/(?<=\r\n)/).toReversed()
}

async function arcOf(message: Buffer, entries: readonly FakeEntry[] = KEYS): Promise<string> {
  const { arc } = await verdictsOf(message, entries)
  return arc.why === undefined ? arc.result : `${arc.result}: ${arc.why}`
}

const ONE = sealed(MESSAGE, { sealer: 'one.lan' })
const TWO = sealed(ONE, { sealer: 'two.lan', results: 'arc=pass; dmarc=fail header.from=test.lan' })

describe('a chain of seals (RFC 8617 section 5.2)', () => {
  test.each([
    ['none', MESSAGE, 'none'],
    ['one seal', ONE, 'pass'],
    ['two seals', TWO, 'pass'],
    [
      'the message changed since the last seal',
      changed(TWO, 'Subject: hello', 'Subject: hallo'),
      'fail: signature does not verify',
    ],
    ['the body changed', changed(TWO, 'Hi.', 'Ho.'), 'fail: body was changed'],
    [
      'what an earlier server has found changed',
      changed(TWO, 'dmarc=pass', 'dmarc=fail'),
      'fail: seal 1 does not verify',
    ],
    [
      'what the last one has found changed',
      changed(TWO, 'arc=pass; dmarc=fail', 'arc=pass; dmarc=pass'),
      'fail: seal 2 does not verify',
    ],
    [
      'a seal taken out',
      Buffer.from(TWO.toString('latin1').replace(/^ARC-Seal: i=1[^\r]*\r\n/m, ''), 'latin1'),
      'fail: sets are not complete',
    ],
    [
      'the first set taken out',
      Buffer.from(
        TWO.toString('latin1').replace(
          /^ARC-[^:]*: i=1[^\r]*\r\n|^ARC-[^:]*: i=1;[^\r]*\r\n|^ARC-Message-Signature: [^\r]*i=1;[^\r]*\r\n/gm,
          '',
        ),
        'latin1',
      ),
      'fail: set 1: not complete',
    ],
    ['a set twice', Buffer.concat([ONE.subarray(0, ONE.length - MESSAGE.length), ONE]), 'fail: set 2: not complete'],
    [
      'it was broken before',
      sealed(ONE, { sealer: 'two.lan', cv: 'fail' }),
      'fail: set 2: the chain was broken before',
    ],
    [
      'the first one says that it had a chain',
      sealed(MESSAGE, { sealer: 'one.lan', cv: 'pass' }),
      'fail: set 1: bad cv',
    ],
    ['a later one says that it had none', sealed(ONE, { sealer: 'two.lan', cv: 'none' }), 'fail: set 2: bad cv'],
    [
      'a seal with a list of fields',
      sealed(MESSAGE, { sealer: 'one.lan', more: ' h=from;' }),
      'fail: set 1: seal has a list of fields',
    ],
    [
      'a signature over seals',
      sealed(MESSAGE, { sealer: 'one.lan', fields: ['from', 'arc-seal'] }),
      'fail: set 1: signs a seal',
    ],
    [
      'a key that is not the sealer’s',
      sealed(MESSAGE, { sealer: 'one.lan', key: rsaKey() }),
      'fail: signature does not verify',
    ],
    ['nobody has the key', sealed(MESSAGE, { sealer: 'none.lan' }), 'fail: no key'],
    [
      'fields without instances',
      Buffer.concat([
        Buffer.from('ARC-Seal: x\r\nARC-Message-Signature: x\r\nARC-Authentication-Results: x\r\n'),
        MESSAGE,
      ]),
      'fail: set 1: not complete',
    ],
    [
      'thousands of fields',
      Buffer.concat([Buffer.from('ARC-Seal: i=1\r\n'.repeat(4_000)), MESSAGE]),
      'fail: too many sets',
    ],
  ])('%s', async (_label, message, expected) => {
    expect(await arcOf(message)).toBe(expected)
  })

  test.each(['servfail', 'timeout'] as const)('the DNS: %s', async (what) => {
    const [, second] = KEYS
    if (second === undefined) throw new Error('no keys')
    expect(await arcOf(TWO, [['s1._domainkey.one.lan', 'TXT', what], second])).toBe(
      'temperror: seal 1: no answer from the DNS',
    )
    // What is wrong anyway is not put off.
    const bad = changed(TWO, 'Hi.', 'Ho.')
    expect(await arcOf(bad, [['s1._domainkey.one.lan', 'TXT', what], second])).toBe('fail: body was changed')
  })

  test('who sealed it and what each has found, the last one first', async () => {
    const { arc } = await verdictsOf(TWO, KEYS)
    expect(
      arc.seals.map(({ instance, sealer, results }) => [
        instance,
        sealer,
        results.map(({ method, result }) => `${method}=${result}`),
      ]),
    ).toEqual([
      [2, 'two.lan', ['arc=pass', 'dmarc=fail']],
      [1, 'one.lan', ['dmarc=pass']],
    ])
  })
})

function changed(message: Buffer, from: string, to: string): Buffer {
  const text = message.toString('latin1')
  expect(text).toContain(from)
  return Buffer.from(text.replace(from, to), 'latin1')
}

describe('results of other servers (RFC 8601 section 2.2)', () => {
  const read = (text: string) =>
    readResults(text).map(({ method, result, properties }) =>
      [`${method}=${result}`, ...[...properties].map((pair) => pair.join('='))].join(' '),
    )

  test.each([
    [
      'several',
      'mx.lan; spf=pass smtp.mailfrom=a@b.lan; dmarc=pass header.from=b.lan',
      ['spf=pass smtp.mailfrom=a@b.lan', 'dmarc=pass header.from=b.lan'],
    ],
    [
      'with an instance, versions and case',
      'i=1; mx.lan 1; DMARC/1=Pass header.From=b.lan',
      ['dmarc=pass header.from=b.lan'],
    ],
    ['none', 'mx.lan; none', []],
    [
      'comments, one in another',
      'mx.lan; dmarc=fail (p=reject; (dmarc=pass)) header.from=b.lan',
      ['dmarc=fail header.from=b.lan'],
    ],
    ['a result in quotes is none', 'mx.lan; spf=fail reason="; dmarc=pass header.from=b.lan"', ['spf=fail reason=']],
    ['a comment without end', 'mx.lan; dmarc=pass (', []],
    ['quotes without end', 'mx.lan; dmarc=pass reason="', []],
    ['too long', `mx.lan; dmarc=pass ${'x'.repeat(9_000)}`, []],
  ])('%s', (_label, text, expected) => {
    expect(read(text)).toEqual(expected)
  })
})
