// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { drawn, judgeAuthor, type Proof, worst } from '../../../src/agents/authentication/dmarc.js'
import { DmarcDomains, namesAbove } from '../../../src/agents/authentication/dmarc-domains.js'
import { parseRecord } from '../../../src/agents/authentication/dmarc-record.js'
import { type FakeEntry, fakeResolver } from '../fake-resolver.js'

const dkim = (domain: string, pending = false): Proof => ({ method: 'dkim', domain, pending })
const spf = (domain: string, pending = false): Proof => ({ method: 'spf', domain, pending })
const record = (domain: string, text: string): FakeEntry => [`_dmarc.${domain}`, 'TXT', [text]]

async function judge(author: string, proofs: readonly Proof[], entries: readonly FakeEntry[]): Promise<string> {
  const { result, policy } = await judgeAuthor(author, proofs, new DmarcDomains(fakeResolver(entries), NEVER))
  return policy === undefined ? result : `${result} ${policy}`
}

describe('whether the author’s domain stands behind a message (RFC 9989 section 5.3)', () => {
  const REJECT = record('test.lan', 'v=DMARC1; p=reject')
  test.each([
    ['no record', 'test.lan', [dkim('test.lan')], [], 'none'],
    ['the domain itself has signed', 'test.lan', [dkim('test.lan')], [REJECT], 'pass reject'],
    ['a domain below has', 'test.lan', [dkim('news.test.lan')], [REJECT], 'pass reject'],
    ['the domain above has', 'news.test.lan', [dkim('test.lan')], [REJECT], 'pass reject'],
    ['a domain beside has', 'news.test.lan', [dkim('list.test.lan')], [REJECT], 'pass reject'],
    ['it sends from where it says', 'test.lan', [spf('bounce.test.lan')], [REJECT], 'pass reject'],
    ['somebody else has signed', 'test.lan', [dkim('other.lan'), spf('other.lan')], [REJECT], 'fail reject'],
    ['a domain that only ends like it', 'test.lan', [dkim('eviltest.lan')], [REJECT], 'fail reject'],
    ['a suffix of both has', 'test.lan', [dkim('lan')], [REJECT], 'fail reject'],
    ['nobody', 'test.lan', [], [REJECT], 'fail reject'],
    [
      'a domain below, but only the same one counts',
      'test.lan',
      [dkim('news.test.lan')],
      [record('test.lan', 'v=DMARC1; p=reject; adkim=s')],
      'fail reject',
    ],
    [
      'the same, for SPF',
      'test.lan',
      [spf('news.test.lan')],
      [record('test.lan', 'v=DMARC1; p=quarantine; aspf=s')],
      'fail quarantine',
    ],
    [
      'strict for one is not strict for the other',
      'test.lan',
      [spf('news.test.lan')],
      [record('test.lan', 'v=DMARC1; p=reject; adkim=s')],
      'pass reject',
    ],
    [
      'a record of its own goes before the one above',
      'news.test.lan',
      [],
      [REJECT, record('news.test.lan', 'v=DMARC1; p=none')],
      'fail none',
    ],
    [
      'the policy for domains below',
      'news.test.lan',
      [],
      [record('test.lan', 'v=DMARC1; p=reject; sp=quarantine')],
      'fail quarantine',
    ],
    [
      'the policy for those of them that do not exist',
      'x.test.lan',
      [],
      [record('test.lan', 'v=DMARC1; p=none; np=reject')],
      'fail reject',
    ],
    [
      'not for those that do',
      'x.test.lan',
      [],
      [record('test.lan', 'v=DMARC1; p=none; np=reject'), ['x.test.lan', 'MX', 'no-data']],
      'fail none',
    ],
    [
      'two records, of which none counts',
      'test.lan',
      [],
      [['_dmarc.test.lan', 'TXT', ['v=DMARC1; p=reject', 'v=DMARC1; p=none']]],
      'none',
    ],
    [
      'a record beside others',
      'test.lan',
      [],
      [['_dmarc.test.lan', 'TXT', ['v=spf1 -all', 'v=DMARC1; p=reject']]],
      'fail reject',
    ],
    ['the DNS does not answer', 'test.lan', [], [['_dmarc.test.lan', 'TXT', 'servfail']], 'temperror'],
    ['nor above', 'news.test.lan', [], [['_dmarc.test.lan', 'TXT', 'timeout']], 'temperror'],
    ['a proof that may yet come', 'test.lan', [dkim('test.lan', true)], [REJECT], 'temperror reject'],
    ['one that would prove nothing', 'test.lan', [dkim('other.lan', true)], [REJECT], 'fail reject'],
    [
      'nobody knows whose domain has signed',
      'test.lan',
      [dkim('news.test.lan')],
      [REJECT, ['_dmarc.news.test.lan', 'TXT', 'servfail']],
      'temperror reject',
    ],
    ['another proof is enough', 'test.lan', [dkim('news.test.lan', true), spf('test.lan')], [REJECT], 'pass reject'],
  ] as const)('%s', async (_label, author, proofs, entries, expected) => {
    expect(await judge(author, proofs, entries)).toBe(expected)
  })

  test.each([
    [
      'domains below a public suffix are strangers',
      'a.bank.lan',
      [dkim('b.bank.lan')],
      [record('bank.lan', 'v=DMARC1; p=reject; psd=y')],
      'fail reject',
    ],
    [
      'one below it is an organization',
      'a.x.bank.lan',
      [dkim('b.x.bank.lan')],
      [record('bank.lan', 'v=DMARC1; p=reject; psd=y')],
      'pass reject',
    ],
    [
      'its policy is for those that have none',
      'a.bank.lan',
      [],
      [record('bank.lan', 'v=DMARC1; p=none; sp=reject; psd=y')],
      'fail reject',
    ],
    [
      'an organization below another (psd=n)',
      'a.x.test.lan',
      [dkim('test.lan')],
      [record('x.test.lan', 'v=DMARC1; p=reject; psd=n'), record('test.lan', 'v=DMARC1; p=none')],
      'fail reject',
    ],
  ] as const)('%s (RFC 9989 section 4.10.2)', async (_label, author, proofs, entries, expected) => {
    expect(await judge(author, proofs, entries)).toBe(expected)
  })

  test('how many names are asked for does not depend on how long one is (section 4.10)', async () => {
    expect(namesAbove('a.b.c.d.e.f.g.h.i.j.test.lan')).toEqual([
      'a.b.c.d.e.f.g.h.i.j.test.lan',
      'f.g.h.i.j.test.lan',
      'g.h.i.j.test.lan',
      'h.i.j.test.lan',
      'i.j.test.lan',
      'j.test.lan',
      'test.lan',
      'lan',
    ])
    expect(namesAbove('lan')).toEqual(['lan'])
    const resolver = fakeResolver()
    const domains = new DmarcDomains(resolver, NEVER)
    await domains.organizationOf('mail.test.lan')
    await domains.organizationOf('test.lan')
    expect(resolver.asked).toEqual(['TXT _dmarc.mail.test.lan', 'TXT _dmarc.test.lan', 'TXT _dmarc.lan'])
  })
})

describe('records (RFC 9989 section 4.7)', () => {
  test.each([
    ['the least', 'v=DMARC1', { policy: 'none', percent: 100 }],
    ['white space', ' v = DMARC1 ;\tp = Reject', { policy: 'reject' }],
    ['another case', 'v=DMARC1; p=ReJect; PCT=1', { policy: 'reject', percent: 1 }],
    ['so many of a hundred', 'v=DMARC1; p=reject; pct=30', { policy: 'reject', percent: 30 }],
    ['more than a hundred', 'v=DMARC1; p=reject; pct=300', { percent: 100 }],
    ['no number', 'v=DMARC1; p=reject; pct=-5', { percent: 100 }],
    ['on trial', 'v=DMARC1; p=reject; t=y', { policy: 'reject', percent: 0 }],
    ['a policy that nobody knows', 'v=DMARC1; p=destroy', undefined],
    ['the same, with somebody to report to', 'v=DMARC1; p=destroy; rua=mailto:a@b.lan', { policy: 'none' }],
    ['a policy for those below that nobody knows', 'v=DMARC1; p=reject; sp=x', { subdomains: 'reject' }],
    ['a tag twice', 'v=DMARC1; p=reject; p=none', { policy: 'reject' }],
    [
      'slips in other tags',
      'v=DMARC1; p=reject; rua; =x; rua=mailto:a@b.lan, "c"; caff\xe8=\0;;',
      { policy: 'reject' },
    ],
    ['too long', `v=DMARC1; p=reject; x=${'y'.repeat(5_000)}`, undefined],
  ])('%s', (_label, text, expected) => {
    const read = parseRecord(text)
    if (expected === undefined) expect(read).toBeUndefined()
    else expect(read).toMatchObject(expected)
  })
})

describe('lots and several authors', () => {
  test.each([
    ['all', 'reject', 100, 0.999, 'reject'],
    ['the lot fell on it', 'reject', 30, 0.29, 'reject'],
    ['it did not: the milder one', 'reject', 30, 0.3, 'quarantine'],
    ['the same for quarantine', 'quarantine', 30, 0.3, 'none'],
    ['none at all', 'reject', 0, 0, 'quarantine'],
  ] as const)('%s (RFC 7489 section 6.6.4)', (_label, policy, percent, lot, expected) => {
    expect(drawn(policy, percent, () => lot)).toBe(expected)
  })

  test('the worst verdict counts (RFC 7489 section 6.6.1)', () => {
    const domain = 'x.lan'
    expect(
      worst([
        { result: 'pass', domain, policy: 'reject' },
        { result: 'fail', domain, policy: 'none' },
      ]),
    ).toMatchObject({ result: 'fail' })
    expect(
      worst([
        { result: 'fail', domain, policy: 'none' },
        { result: 'fail', domain: 'y.lan', policy: 'reject' },
      ]),
    ).toMatchObject({ domain: 'y.lan' })
    expect(
      worst([
        { result: 'temperror', domain },
        { result: 'none', domain },
      ]),
    ).toMatchObject({ result: 'temperror' })
  })
})
