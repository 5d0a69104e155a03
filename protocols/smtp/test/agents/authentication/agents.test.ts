// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { parsePath } from '../../../src/address.js'
import type { Agent, AgentSession } from '../../../src/agents/agent.js'
import { arc } from '../../../src/agents/authentication/arc-agent.js'
import { dkim } from '../../../src/agents/authentication/dkim-agent.js'
import { dmarc } from '../../../src/agents/authentication/dmarc-agent.js'
import { spf } from '../../../src/agents/authentication/spf-agent.js'
import { type FakeEntry, type FakeResolver, fakeResolver } from '../fake-resolver.js'
import { made, recipient, stage } from '../support.js'
import { lines, rsaKey, spooled, withSignature } from './support.js'

type Block = { readonly type: 'spf' | 'dkim' | 'arc' | 'dmarc' } & Readonly<Record<string, unknown>>

function agentOf({ type, ...settings }: Block, resolver: FakeResolver): Agent {
  if (type === 'spf') return made(spf, settings, { resolver })
  if (type === 'dkim') return made(dkim, settings, { resolver })
  return type === 'arc' ? made(arc, settings, { resolver }) : made(dmarc, settings, { resolver })
}

const KEY = rsaKey()
const MESSAGE = lines('From: alice@test.lan\nSubject: hello\n\nHi.\n')
const SIGNED = withSignature(MESSAGE, KEY)
const PUBLISHED: readonly FakeEntry[] = [
  ['s1._domainkey.test.lan', 'TXT', [KEY.record]],
  ['test.lan', 'TXT', ['v=spf1 ip4:192.0.2.7 -all']],
  ['_dmarc.test.lan', 'TXT', ['v=DMARC1; p=reject']],
]

interface Sent {
  readonly from?: string
  readonly message?: Buffer
  readonly zone?: readonly FakeEntry[]
  readonly address?: string
  /** How often it is sent in one session. */
  readonly times?: number
}

interface Outcome {
  /** The reply of a refusal, or `go`. */
  readonly verdict: string
  readonly results: readonly string[]
  readonly fields: readonly string[]
  readonly resolver: FakeResolver
}

/** Agents as blocks of the configuration, and one message that goes past them. */
async function send(blocks: readonly Block[], sent: Sent = {}): Promise<Outcome> {
  const { from = '<alice@test.lan>', message = SIGNED, zone = PUBLISHED, address = '192.0.2.7', times = 1 } = sent
  const resolver = fakeResolver(zone)
  const agents = blocks.map((block) => agentOf(block, resolver))
  const session: Partial<AgentSession> = {
    peer: { address, port: 4_000, family: 4 },
    hello: { kind: 'ehlo', domain: 'mail.test.lan' },
  }
  const { run } = stage(agents, session)
  const path = parsePath(from)
  const sender = path.kind === 'mailbox' ? path.mailbox : undefined
  const kept = await spooled(message)
  const envelope = { sender, recipients: [recipient('bob@example.org')] }
  const outcome = (verdict: string, fields: readonly string[] = []): Outcome => ({
    verdict,
    results: run.notes.results.map(({ method, result, comment, properties }) =>
      [
        `${method}=${result}`,
        ...(comment === undefined ? [] : [`(${comment})`]),
        ...properties.map((pair) => pair.join('=')),
      ].join(' '),
    ),
    fields: [...fields, ...run.notes.edits(() => []).prepend],
    resolver,
  })
  const once = [
    () => run.ask('mail', { sender, parameters: new Map() }),
    () => run.ask('headers', { envelope, fields: kept.fields, notes: run.notes }),
    () => run.ask('dataEnd', { envelope, fields: kept.fields, notes: run.notes, message: kept.message }),
  ]
  const fields: string[] = []
  for (const [step, ask] of Array.from({ length: times }, () => once)
    .flat()
    .entries()) {
    if (step > 0 && step % once.length === 0) run.concluded(true)
    const verdict = await ask()
    if (verdict.kind === 'refuse')
      return outcome(`${verdict.reply.code} ${verdict.reply.enhanced} ${verdict.reply.lines[0]}`)
    if (verdict.kind === 'go') fields.push(...verdict.edits.flatMap(({ prepend }) => prepend))
  }
  return outcome('go', fields)
}

describe('spf', () => {
  const zone = (policy: string | 'servfail'): readonly FakeEntry[] => [
    ['test.lan', 'TXT', policy === 'servfail' ? 'servfail' : [policy]],
  ]
  const FAIL = '550 5.7.23 SPF: domain of test.lan does not designate 192.0.2.7 as permitted sender'
  test.each([
    ['pass', {}, 'v=spf1 ip4:192.0.2.7 -all', 'go'],
    ['fail is refused', {}, 'v=spf1 -all', FAIL],
    ['fail, where the site lets it pass', { fail: 'pass' }, 'v=spf1 -all', 'go'],
    ['softfail passes', {}, 'v=spf1 ~all', 'go'],
    [
      'softfail, where the site does not let it pass',
      { softfail: 'action' },
      'v=spf1 ~all',
      '550 5.7.23 SPF: domain of test.lan does not expect 192.0.2.7 as sender',
    ],
    ['nobody knows: passes', {}, 'servfail', 'go'],
    [
      'nobody knows, where that does not pass: later',
      { temperror: 'action' },
      'servfail',
      '451 4.4.3 SPF: domain of test.lan cannot be asked for now',
    ],
    [
      'a policy that nobody can use',
      { permerror: 'action' },
      'v=spf1 moo',
      '550 5.7.24 SPF: policy of test.lan cannot be used',
    ],
    ['marked only', { action: 'tag' }, 'v=spf1 -all', 'go'],
    ['watched only', { audit: true }, 'v=spf1 -all', 'go'],
  ])('%s', async (_label, settings, policy, expected) => {
    expect((await send([{ type: 'spf', ...settings }], { zone: zone(policy) })).verdict).toBe(expected)
  })

  test('says in the message what came of it', async () => {
    const tagged = await send([{ type: 'spf', action: 'tag', receivedSpf: true }], { zone: zone('v=spf1 -all') })
    expect(tagged.results).toEqual(['spf=fail smtp.mailfrom=alice@test.lan'])
    expect(tagged.fields).toEqual([
      expect.stringMatching(/^Received-SPF: fail /),
      'X-Portico-Finding: spf; spf=fail test.lan\r\n',
    ])
  })

  test('audit changes nothing', async () => {
    const { results, fields } = await send([{ type: 'spf', audit: true, receivedSpf: true }], {
      zone: zone('v=spf1 -all'),
    })
    expect([results, fields]).toEqual([[], []])
  })
})

describe('dkim', () => {
  test.each([
    ['a good signature', {}, SIGNED, 'go'],
    ['none', {}, MESSAGE, 'go'],
    [
      'none of a domain that always signs',
      { require: ['test.lan'] },
      MESSAGE,
      '550 5.7.20 No valid DKIM signature of test.lan',
    ],
    [
      'none of who is only one of its authors',
      { require: ['test.lan'] },
      Buffer.concat([Buffer.from('From: eve@other.lan\r\n'), MESSAGE]),
      '550 5.7.20 No valid DKIM signature of test.lan',
    ],
    [
      'two authors, of whom it is neither',
      { require: ['est.lan'] },
      Buffer.concat([Buffer.from('From: eve@other.lan\r\n'), MESSAGE]),
      'go',
    ],
    ['a good one of it', { require: ['test.lan'] }, SIGNED, 'go'],
    [
      'one of somebody else',
      { require: ['test.lan'] },
      withSignature(MESSAGE, KEY, { tags: { d: 'other.lan' } }),
      '550 5.7.20 No valid DKIM signature of test.lan',
    ],
    ['a bad one, which is as good as none', {}, Buffer.concat([SIGNED, Buffer.from('x')]), 'go'],
    [
      'a bad one, where the site wants that',
      { fail: 'action' },
      Buffer.concat([SIGNED, Buffer.from('x')]),
      '550 5.7.20 No valid DKIM signature',
    ],
  ])('%s', async (_label, settings, message, expected) => {
    expect((await send([{ type: 'dkim', ...settings }], { message })).verdict).toBe(expected)
  })

  test('a key that is out of reach refuses nobody for good', async () => {
    const zone: readonly FakeEntry[] = [['s1._domainkey.test.lan', 'TXT', 'servfail']]
    const { verdict } = await send([{ type: 'dkim', require: ['test.lan'] }], { zone })
    expect(verdict).toBe('451 4.4.3 No valid DKIM signature of test.lan could be found for now')
  })

  test('says in the message what came of it', async () => {
    const { results } = await send([{ type: 'dkim' }])
    expect(results).toEqual([
      expect.stringMatching(/^dkim=pass header\.d=test\.lan header\.s=s1 header\.b=[A-Za-z0-9+/]{8}$/),
    ])
    expect((await send([{ type: 'dkim' }], { message: MESSAGE })).results).toEqual(['dkim=none'])
  })
})

describe('arc', () => {
  const broken = Buffer.concat([Buffer.from('ARC-Seal: i=1; cv=none\r\n'), MESSAGE])
  test.each([
    ['no chain', { fail: 'action', action: 'reject' }, MESSAGE, 'go'],
    ['a broken one, which is as good as none', {}, broken, 'go'],
    [
      'a broken one, where the site wants that',
      { fail: 'action', action: 'reject' },
      broken,
      '550 5.7.29 ARC chain does not verify',
    ],
  ])('%s', async (_label, settings, message, expected) => {
    expect((await send([{ type: 'arc', ...settings }], { message })).verdict).toBe(expected)
  })

  test('a broken chain marks the message', async () => {
    const { fields, results } = await send([{ type: 'arc', fail: 'action' }], { message: broken })
    expect(fields).toEqual([expect.stringMatching(/^X-Portico-Finding: arc; arc=fail /)])
    expect(results).toEqual([expect.stringMatching(/^arc=fail /)])
  })
})

describe('dmarc', () => {
  const policy = (text: string): readonly FakeEntry[] => [['_dmarc.test.lan', 'TXT', [text]]]
  const REFUSED = '550 5.7.1 Message refused by the DMARC policy of test.lan'
  test.each([
    ['signed', {}, {}, 'go', 'dmarc=pass (p=reject) header.from=test.lan'],
    ['sent from where it says', {}, { message: MESSAGE }, 'go', 'dmarc=pass (p=reject) header.from=test.lan'],
    [
      'neither',
      {},
      { message: MESSAGE, address: '192.0.2.8' },
      REFUSED,
      'dmarc=fail (p=reject) header.from=test.lan policy.dmarc=reject',
    ],
    [
      'neither, put off',
      { reject: 'tempfail' },
      { message: MESSAGE, address: '192.0.2.8' },
      REFUSED.replace('550 5.7.1', '451 4.7.1'),
      'dmarc=fail (p=reject) header.from=test.lan policy.dmarc=reject',
    ],
    [
      'neither, and the site does not mind',
      { reject: 'pass' },
      { message: MESSAGE, address: '192.0.2.8' },
      'go',
      'dmarc=fail (p=reject) header.from=test.lan policy.dmarc=reject',
    ],
    [
      'the domain wants quarantine: marked',
      {},
      { message: MESSAGE, zone: policy('v=DMARC1; p=quarantine') },
      'go',
      'dmarc=fail (p=quarantine) header.from=test.lan policy.dmarc=quarantine',
    ],
    [
      'the domain wants quarantine, the site refuses',
      { quarantine: 'reject' },
      { message: MESSAGE, zone: policy('v=DMARC1; p=quarantine') },
      REFUSED,
      'dmarc=fail (p=quarantine) header.from=test.lan policy.dmarc=quarantine',
    ],
    [
      'the domain wants nothing',
      {},
      { message: MESSAGE, zone: policy('v=DMARC1; p=none') },
      'go',
      'dmarc=fail (p=none) header.from=test.lan policy.dmarc=none',
    ],
    [
      'on trial',
      {},
      { message: MESSAGE, zone: policy('v=DMARC1; p=reject; pct=0') },
      'go',
      'dmarc=fail (p=reject) header.from=test.lan policy.dmarc=quarantine',
    ],
    ['no policy', {}, { message: MESSAGE, zone: [] }, 'go', 'dmarc=none header.from=test.lan'],
    [
      'nobody knows',
      {},
      { message: MESSAGE, zone: [['_dmarc.test.lan', 'TXT', 'servfail']] },
      'go',
      'dmarc=temperror header.from=test.lan',
    ],
    [
      'nobody knows, put off',
      { temperror: 'action' },
      { message: MESSAGE, zone: [['_dmarc.test.lan', 'TXT', 'timeout']] },
      '451 4.4.3 The DMARC policy of test.lan cannot be looked at for now',
      'dmarc=temperror header.from=test.lan',
    ],
    [
      'two From fields',
      {},
      { message: lines('From: a@test.lan\nFrom: b@other.lan\n\nHi.\n') },
      '550 5.7.1 Message refused: several From fields',
      'dmarc=permerror (several From fields)',
    ],
    [
      'no From field',
      {},
      { message: lines('To: a@test.lan\n\nHi.\n') },
      '550 5.7.1 Message refused: no From field',
      'dmarc=permerror (no From field)',
    ],
    [
      'a From without a domain',
      {},
      { message: lines('From: nobody:;\n\nHi.\n') },
      'go',
      'dmarc=none (From names no domain)',
    ],
    [
      'two authors, of whom one is not himself',
      {},
      {
        message: lines('From: a@test.lan, b@other.lan\n\nHi.\n'),
        address: '192.0.2.7',
        zone: [...PUBLISHED, ['_dmarc.other.lan', 'TXT', ['v=DMARC1; p=reject']]],
      },
      REFUSED.replace('test', 'other'),
      'dmarc=fail (p=reject) header.from=other.lan policy.dmarc=reject',
    ],
  ] as const)('%s', async (_label, settings, sent, verdict, result) => {
    const done = await send([{ type: 'dmarc', ...settings }], sent as Sent)
    expect([done.verdict, done.results]).toEqual([verdict, [result]])
  })

  test('what the domain wants in quarantine is marked, or goes there', async () => {
    const sent = { message: MESSAGE, zone: policy('v=DMARC1; p=quarantine') }
    expect((await send([{ type: 'dmarc' }], sent)).fields).toEqual([
      'X-Portico-Finding: dmarc; dmarc=fail test.lan (p=quarantine)\r\n',
    ])
    const kept = await send([{ type: 'dmarc', quarantine: { quarantine: 'spam@test.lan' } }], sent)
    expect(kept.fields.join('')).toContain('X-Portico-Quarantine: dmarc; dmarc=fail test.lan (p=quarantine)')
  })

  test('what other agents have looked at is not looked at again', async () => {
    const { resolver, results } = await send([{ type: 'spf' }, { type: 'dkim' }, { type: 'arc' }, { type: 'dmarc' }])
    expect(results.map((result) => result.split(' ')[0])).toEqual(['spf=pass', 'dkim=pass', 'arc=none', 'dmarc=pass'])
    expect(new Set(resolver.asked).size).toBe(resolver.asked.length)
  })

  test('nor is what nobody could find out, before the next message', async () => {
    const zone: readonly FakeEntry[] = [['test.lan', 'TXT', 'servfail'], ...PUBLISHED.slice(2)]
    const both = await send([{ type: 'spf' }, { type: 'dmarc' }], { zone, message: MESSAGE })
    expect(both.results).toEqual([
      'spf=temperror smtp.mailfrom=alice@test.lan',
      'dmarc=temperror (p=reject) header.from=test.lan',
    ])
    expect(both.resolver.asked.filter((question) => question === 'TXT test.lan')).toHaveLength(1)
    const twice = await send([{ type: 'spf' }, { type: 'dmarc' }], { zone, message: MESSAGE, times: 2 })
    expect(twice.resolver.asked.filter((question) => question === 'TXT test.lan')).toHaveLength(2)
    const alone = await send([{ type: 'dmarc' }], { zone, message: MESSAGE, times: 2 })
    expect(alone.resolver.asked.filter((question) => question === 'TXT test.lan')).toHaveLength(2)
  })

  test('a domain that could be asked is asked once for all messages of a session', async () => {
    const { resolver } = await send([{ type: 'spf' }, { type: 'dmarc' }], { times: 3 })
    expect(resolver.asked.filter((question) => question === 'TXT test.lan')).toHaveLength(1)
  })
})
