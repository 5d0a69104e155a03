// SPDX-License-Identifier: MIT
import { type Endpoint, NEVER } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { parsePath } from '../../../src/address.js'
import { judgeSpf, receivedSpf, spfResult } from '../../../src/agents/authentication/spf.js'
import { type FakeEntry, fakeResolver } from '../fake-resolver.js'
import { SESSION } from '../support.js'

function client(address: string): Endpoint {
  return { address, port: 4_000, family: address.includes(':') ? 6 : 4 }
}

function mailbox(path: string) {
  const parsed = parsePath(path)
  return parsed.kind === 'mailbox' ? parsed.mailbox : undefined
}

interface Asked {
  readonly from?: string
  readonly address?: string
  readonly helo?: string
}

async function judge(
  { from = '<bob@example.com>', address = '192.0.2.129', helo = 'mail.example.com' }: Asked,
  entries: readonly FakeEntry[],
) {
  const session = { peer: client(address), hello: { kind: 'ehlo' as const, domain: helo }, hostname: SESSION.hostname }
  const resolver = fakeResolver(entries)
  const verdict = await judgeSpf(session, mailbox(from), resolver, NEVER)
  return { verdict, asked: resolver.asked }
}

/** RFC 7208 appendix A. */
const ZONE: readonly FakeEntry[] = [
  ['example.com', 'A', ['192.0.2.10', '192.0.2.11']],
  [
    'example.com',
    'MX',
    [
      { exchange: 'mail-a.example.com', preference: 10 },
      { exchange: 'mail-b.example.com', preference: 20 },
    ],
  ],
  ['amy.example.com', 'A', ['192.0.2.65']],
  ['bob.example.com', 'A', ['192.0.2.66']],
  ['mail-a.example.com', 'A', ['192.0.2.129']],
  ['mail-b.example.com', 'A', ['192.0.2.130']],
  ['www.example.com', 'A', ['192.0.2.10']],
  ['example.org', 'MX', [{ exchange: 'mail-c.example.org', preference: 10 }]],
  ['mail-c.example.org', 'A', ['192.0.2.140']],
  ['10.2.0.192.in-addr.arpa', 'PTR', ['example.com']],
  ['65.2.0.192.in-addr.arpa', 'PTR', ['amy.example.com']],
  ['140.2.0.192.in-addr.arpa', 'PTR', ['mail-c.example.org']],
  ['4.0.0.10.in-addr.arpa', 'PTR', ['bob.example.com']],
]

describe('simple examples (RFC 7208 appendix A.1)', () => {
  test.each([
    ['v=spf1 +all', '203.0.113.9', 'pass'],
    ['v=spf1 a -all', '192.0.2.10', 'pass'],
    ['v=spf1 a -all', '192.0.2.11', 'pass'],
    ['v=spf1 a -all', '192.0.2.12', 'fail'],
    ['v=spf1 a:example.org -all', '192.0.2.10', 'fail'],
    ['v=spf1 mx -all', '192.0.2.129', 'pass'],
    ['v=spf1 mx -all', '192.0.2.130', 'pass'],
    ['v=spf1 mx:example.org -all', '192.0.2.140', 'pass'],
    ['v=spf1 mx mx:example.org -all', '192.0.2.140', 'pass'],
    ['v=spf1 mx/30 mx:example.org/30 -all', '192.0.2.131', 'pass'],
    ['v=spf1 mx/30 mx:example.org/30 -all', '192.0.2.143', 'pass'],
    ['v=spf1 mx/30 mx:example.org/30 -all', '192.0.2.144', 'fail'],
    ['v=spf1 ptr -all', '192.0.2.65', 'pass'],
    ['v=spf1 ptr -all', '192.0.2.140', 'fail'],
    ['v=spf1 ptr -all', '10.0.0.4', 'fail'],
    ['v=spf1 ip4:192.0.2.128/28 -all', '192.0.2.129', 'pass'],
    ['v=spf1 ip4:192.0.2.128/28 -all', '192.0.2.65', 'fail'],
  ])('%s for %s', async (policy, address, expected) => {
    const { verdict } = await judge({ address }, [['example.com', 'TXT', [policy]], ...ZONE])
    expect(verdict.result).toBe(expected)
  })
})

describe('a DNSBL-like policy (RFC 7208 appendix A.3)', () => {
  const zone: readonly FakeEntry[] = [
    ['example.com', 'TXT', ['v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all']],
    ['ip4._spf.example.com', 'TXT', ['v=spf1 -ip4:192.0.2.65 +all']],
    ['ptr._spf.example.com', 'TXT', ['v=spf1 -ptr:example.com +all']],
  ]
  test('includes', async () => {
    expect((await judge({ address: '203.0.113.1' }, zone)).verdict.result).toBe('fail')
  })
})

describe('macros (RFC 7208 section 7.4)', () => {
  test.each([
    ['%{i}._ip.%{d}', '192.0.2.129._ip.example.com'],
    ['%{ir}.%{v}._spf.%{d2}', '129.2.0.192.in-addr._spf.example.com'],
    ['%{l}.lp._spf.%{d}', 'strong-bad.lp._spf.example.com'],
    ['%{lr-}.lp._spf.%{d}', 'bad.strong.lp._spf.example.com'],
    ['%{h}._h.%{d}', 'mail.example.com._h.example.com'],
  ])('%s', async (macro, name) => {
    const entries: readonly FakeEntry[] = [
      ['example.com', 'TXT', [`v=spf1 exists:${macro} -all`]],
      [name, 'A', ['127.0.0.2']],
    ]
    expect((await judge({ from: '<strong-bad@example.com>' }, entries)).verdict.result).toBe('pass')
    expect(
      (await judge({ from: '<other@example.com>', address: '192.0.2.1', helo: 'x.lan' }, entries)).verdict.result,
    ).toBe('fail')
  })

  test.each(['"a@evil.lan"', '"x y"', '"a.%{d}"'])('a local part that is no name leads nowhere: %s', async (local) => {
    const entries: readonly FakeEntry[] = [
      ['example.com', 'TXT', ['v=spf1 exists:%{l}.%{o} exists:%{s} -all']],
      ['evil.lan', 'A', ['127.0.0.2']],
    ]
    const { verdict, asked } = await judge({ from: `<${local}@example.com>` }, entries)
    expect(verdict.result).toBe('fail')
    expect(asked.filter((question) => question.includes('evil.lan') && !question.endsWith('.example.com'))).toEqual([])
  })
})

describe('results (RFC 7208 section 2.6)', () => {
  const policy = (text: string): FakeEntry => ['example.com', 'TXT', [text]]
  test.each([
    ['no domain', [], 'none'],
    ['no policy', [['example.com', 'TXT', ['hello']]], 'none'],
    ['nothing matches', [policy('v=spf1')], 'neutral'],
    ['neutral', [policy('v=spf1 ?all')], 'neutral'],
    ['softfail', [policy('v=spf1 ~all')], 'softfail'],
    ['fail', [policy('v=spf1 -all')], 'fail'],
    [
      'a redirection',
      [policy('v=spf1 redirect=_spf.example.com'), ['_spf.example.com', 'TXT', ['v=spf1 -all']]],
      'fail',
    ],
    ['a redirection to nobody', [policy('v=spf1 redirect=none.example.com')], 'permerror'],
    ['an include of nobody', [policy('v=spf1 include:none.example.com -all')], 'permerror'],
    ['two policies', [['example.com', 'TXT', ['v=spf1 -all', 'v=spf1 +all']]], 'permerror'],
    ['bad syntax', [policy('v=spf1 ip4:1.2.3 -all')], 'permerror'],
    ['a mechanism that nobody knows', [policy('v=spf1 moo -all')], 'permerror'],
    ['longer than anybody has', [policy(`v=spf1 ${'ip4:10.0.0.1 '.repeat(400)}-all`)], 'permerror'],
    [
      'eleven lookups',
      [policy(`v=spf1 ${Array.from({ length: 11 }, (_, n) => `a:h${n}.example.com`).join(' ')} -all`), ...hosts(11)],
      'permerror',
    ],
    [
      'ten lookups',
      [policy(`v=spf1 ${Array.from({ length: 10 }, (_, n) => `a:h${n}.example.com`).join(' ')} -all`), ...hosts(10)],
      'fail',
    ],
    [
      'three lookups without an answer',
      [policy('v=spf1 a:n1.example.com a:n2.example.com a:n3.example.com -all')],
      'permerror',
    ],
    ['two of them', [policy('v=spf1 a:n1.example.com a:n2.example.com -all')], 'fail'],
    ['an include of itself', [policy('v=spf1 include:example.com -all')], 'permerror'],
    ['SERVFAIL', [['example.com', 'TXT', 'servfail']], 'temperror'],
    ['time-out', [['example.com', 'TXT', 'timeout']], 'temperror'],
    [
      'SERVFAIL within an include',
      [policy('v=spf1 include:_spf.example.com -all'), ['_spf.example.com', 'TXT', 'servfail']],
      'temperror',
    ],
    [
      'SERVFAIL within a redirection',
      [policy('v=spf1 redirect=_spf.example.com'), ['_spf.example.com', 'TXT', 'servfail']],
      'temperror',
    ],
    [
      'SERVFAIL at an address',
      [policy('v=spf1 a:h.example.com -all'), ['h.example.com', 'A', 'servfail']],
      'temperror',
    ],
    [
      'SERVFAIL at a mail server',
      [
        policy('v=spf1 mx -all'),
        ['example.com', 'MX', [{ exchange: 'h.example.com', preference: 1 }]],
        ['h.example.com', 'A', 'servfail'],
      ],
      'temperror',
    ],
    [
      'SERVFAIL where the name is looked for, which does not matter (section 5.5)',
      [policy('v=spf1 ptr -all'), ['129.2.0.192.in-addr.arpa', 'PTR', 'servfail']],
      'fail',
    ],
  ] as const)('%s', async (_label, entries, expected) => {
    const { verdict, asked } = await judge({}, entries as readonly FakeEntry[])
    expect(verdict.result).toBe(expected)
    expect(asked.length).toBeLessThan(40)
  })

  test('an IPv6 client', async () => {
    const entries: readonly FakeEntry[] = [policy('v=spf1 ip6:2001:db8::/32 -all')]
    expect((await judge({ address: '2001:db8::1' }, entries)).verdict.result).toBe('pass')
    expect((await judge({ address: '2001:db9::1' }, entries)).verdict.result).toBe('fail')
    expect((await judge({ address: '::ffff:192.0.2.1' }, [policy('v=spf1 ip4:192.0.2.1 -all')])).verdict.result).toBe(
      'pass',
    )
  })

  test('many mail servers: questions have an end', async () => {
    const terms = Array.from({ length: 10 }, (_, n) => `mx:d${n}.example.com`)
    const entries: FakeEntry[] = [policy(`v=spf1 ${terms.join(' ')} -all`)]
    for (let d = 0; d < 10; d += 1) {
      const servers = Array.from({ length: 30 }, (_, n) => ({ exchange: `m${n}.d${d}.example.com`, preference: n }))
      entries.push(
        [`d${d}.example.com`, 'MX', servers],
        ...servers.map(({ exchange }): FakeEntry => [exchange, 'A', ['10.0.0.1']]),
      )
    }
    const { verdict, asked } = await judge({}, entries)
    expect(verdict.result).toBe('permerror')
    expect(asked.length).toBeLessThan(250)
  })
})

function hosts(count: number): readonly FakeEntry[] {
  return Array.from({ length: count }, (_, n) => [`h${n}.example.com`, 'A', ['10.0.0.1']])
}

describe('whose policy it is (RFC 7208 section 2.4)', () => {
  const helo: readonly FakeEntry[] = [['mail.example.com', 'TXT', ['v=spf1 ip4:192.0.2.129 -all']]]
  test('without a sender that of what the client calls itself', async () => {
    const { verdict } = await judge({ from: '<>' }, helo)
    expect(verdict).toMatchObject({ result: 'pass', identity: 'helo', domain: 'mail.example.com' })
    expect(spfResult(verdict)).toEqual({
      method: 'spf',
      result: 'pass',
      properties: [['smtp.helo', 'mail.example.com']],
    })
  })

  test.each([
    ['an address literal', '<>', '[192.0.2.129]'],
    ['a name of one label', '<>', 'localhost'],
    ['nothing that is a name', '<>', 'a..b'],
    ['an address literal of a sender', '<bob@[192.0.2.129]>', 'mail.example.com'],
  ])('none: %s', async (_label, from, name) => {
    const { verdict, asked } = await judge({ from, helo: name }, helo)
    expect([verdict.result, asked]).toEqual(['none', []])
  })

  test('a domain that is not ASCII', async () => {
    const from = Buffer.from('<bob@müller.example>').toString('latin1')
    const { verdict } = await judge({ from }, [['xn--mller-kva.example', 'TXT', ['v=spf1 -all']]])
    expect(verdict).toMatchObject({ result: 'fail', domain: 'xn--mller-kva.example', sender: 'bob@müller.example' })
  })

  test('a client on a socket of this machine', async () => {
    const session = { peer: { address: '/run/x', port: 0, family: 'unix' as const }, hello: undefined, hostname: 'h' }
    expect((await judgeSpf(session, mailbox('<bob@example.com>'), fakeResolver(), NEVER)).result).toBe('none')
  })
})

describe('the Received-SPF field (RFC 7208 section 9.1)', () => {
  test('says who was checked', async () => {
    const { verdict } = await judge({}, [['example.com', 'TXT', ['v=spf1 -all']]])
    expect(receivedSpf(verdict, 'portico.test.lan')).toBe(
      'Received-SPF: fail (portico.test.lan: domain of example.com does not designate 192.0.2.129 as permitted sender)\r\n' +
        '\treceiver=portico.test.lan;\r\n\tclient-ip=192.0.2.129;\r\n\tidentity=mailfrom;\r\n\tenvelope-from="bob@example.com";\r\n\thelo=mail.example.com;\r\n',
    )
  })

  test('stays one field whatever the client says', async () => {
    const { verdict } = await judge({ from: '<"a\\"; x=(">@example.com>' }, [])
    const field = receivedSpf({ ...verdict, helo: 'x\r\nEvil: 1' }, 'h')
    expect(field?.match(/^\S/gm)).toHaveLength(1)
  })
})
