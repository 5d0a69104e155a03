// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import type { AgentSession } from '../../src/agents/agent.js'
import { reverseName } from '../../src/agents/dns/dns-name.js'
import { helo } from '../../src/agents/helo/helo.js'
import { parseHeader } from '../../src/message/header-fields.js'
import { type FakeEntry, fakeResolver } from './fake-resolver.js'
import { made, recipient, SESSION, stage } from './support.js'

const RCPT = { sender: undefined, parameters: new Map(), accepted: 0 }
const MAIL = { sender: undefined, parameters: new Map() }
const REVERSE = reverseName(SESSION.peer.address) ?? ''
const HEADERS = {
  envelope: { sender: undefined, recipients: [] },
  fields: parseHeader(Buffer.from('Subject: x\r\n'), 'plain'),
}

function client(
  name: string,
  written: object = {},
  entries: readonly FakeEntry[] = [],
  more: Partial<AgentSession> = {},
) {
  const resolver = fakeResolver(entries)
  const hello = { kind: 'ehlo', domain: name } as const
  const { run, lines } = stage([made(helo, written, { resolver })], { hello, ...more })
  const rcpt = async (address = 'alice@test.lan') => run.ask('rcpt', { ...RCPT, recipient: recipient(address) })
  return {
    run,
    lines,
    resolver,
    rcpt,
    async begin(greeting = true) {
      await run.ask('connect', { greeting })
      expect(await run.ask('ehlo', hello)).toMatchObject({ kind: 'go' })
      await run.ask('mail', MAIL)
    },
  }
}

const REFUSED = { kind: 'refuse', close: false, reply: { code: 550 } }
const ALL = {
  ...{ foreignLiteral: true, unresolvable: true, otherAddress: true },
  ...{ noReverseName: true, falseReverseName: true },
}

describe('helo', () => {
  test.each([
    ['localhost', '5.5.2'],
    ['192.0.2.7', '5.5.2'],
    ['[192.0.2.777]', '5.5.2'],
    ['a..example', '5.5.2'],
    ['portico.test.lan', '5.7.1'],
    ['TEST.lan', '5.7.1'],
    ['[192.0.2.1]', '5.7.1'],
  ])('refuses the recipients of one who says %s, but for postmaster', async (name, enhanced) => {
    const { begin, rcpt, resolver } = client(name)
    await begin()
    expect(await rcpt()).toMatchObject({ ...REFUSED, reply: { code: 550, enhanced } })
    expect(await rcpt('postmaster@test.lan')).toMatchObject({ kind: 'go' })
    expect(resolver.asked).toEqual([])
  })

  test.each(['mail.far.example', '[192.0.2.7]', '[198.51.100.1]', 'my_pc.far.example'])(
    'has nothing against %s, and asks nobody',
    async (name) => {
      const { begin, rcpt, resolver } = client(name)
      await begin()
      expect(await rcpt()).toMatchObject({ kind: 'go' })
      expect(resolver.asked).toEqual([])
    },
  )

  test.each([
    ['ownName', 'portico.test.lan'],
    ['badSyntax', 'a..example'],
    ['bareAddress', '192.0.2.7'],
    ['noDot', 'localhost'],
  ])('with %s switched off %s is nothing to speak of', async (key, name) => {
    const { begin, rcpt } = client(name, { [key]: false })
    await begin()
    expect(await rcpt()).toMatchObject({ kind: 'go' })
  })

  test.each<
    [label: string, name: string, written: object, entries: readonly FakeEntry[], enhanced: string | undefined]
  >([
    ['a literal of somebody else', '[198.51.100.1]', { foreignLiteral: true }, [], '5.7.1'],
    ['a name that nobody has', 'mail.far.example', { unresolvable: true }, [], '5.7.1'],
    [
      'a name of somebody else',
      'mail.far.example',
      { otherAddress: true },
      [['mail.far.example', 'A', ['198.51.100.1']]],
      '5.7.1',
    ],
    [
      'a name of somebody else where only names that exist are wanted',
      'mail.far.example',
      { unresolvable: true },
      [['mail.far.example', 'A', ['198.51.100.1']]],
      undefined,
    ],
    ['an address without a name', 'mail.far.example', { noReverseName: true }, [], '5.7.25'],
    [
      'an address without a name where only false ones count',
      'mail.far.example',
      { falseReverseName: true },
      [],
      undefined,
    ],
    [
      'an address with a name that is not its own',
      'mail.far.example',
      { falseReverseName: true },
      [[REVERSE, 'PTR', ['mail.far.example']]],
      '5.7.25',
    ],
    [
      'one who is what it says',
      'mail.far.example',
      ALL,
      [
        [REVERSE, 'PTR', ['mail.far.example']],
        ['mail.far.example', 'A', [SESSION.peer.address]],
      ],
      undefined,
    ],
  ])('asks the DNS about %s', async (_label, name, written, entries, enhanced) => {
    const { begin, rcpt } = client(name, written, entries)
    await begin()
    const expected = enhanced === undefined ? { kind: 'go' } : { ...REFUSED, reply: { code: 550, enhanced } }
    expect(await rcpt()).toMatchObject(expected)
  })

  test.each(['unresolvable', 'otherAddress', 'noReverseName', 'falseReverseName'])(
    'where the DNS does not answer, %s refuses nobody, or puts off',
    async (key) => {
      const entries: FakeEntry[] = [
        ['mail.far.example', 'A', 'servfail'],
        [REVERSE, 'PTR', 'timeout'],
      ]
      const { begin, rcpt, lines } = client('mail.far.example', { [key]: true }, entries)
      await begin()
      expect(await rcpt()).toMatchObject({ kind: 'go' })
      expect(lines).toMatchObject([{ message: 'an agent gave no answer', why: 'failed' }])
      const strict = client('mail.far.example', { [key]: true, whenAway: 'tempfail' }, entries)
      await strict.begin()
      expect(await strict.rcpt()).toMatchObject({ kind: 'refuse', reply: { code: 451 } })
    },
  )

  test('each question is asked once in a session, however many recipients there are', async () => {
    const entries: FakeEntry[] = [
      [REVERSE, 'PTR', ['mail.far.example']],
      ['mail.far.example', 'A', [SESSION.peer.address]],
    ]
    const { run, begin, rcpt, resolver } = client('mail.far.example', { ...ALL, iprev: true }, entries)
    await begin()
    for (const address of ['alice@test.lan', 'bob@test.lan']) expect(await rcpt(address)).toMatchObject({ kind: 'go' })
    await run.ask('headers', { ...HEADERS, notes: run.notes })
    expect(resolver.asked).toEqual(['A mail.far.example', `PTR ${REVERSE}`, 'A mail.far.example'])
  })

  test('another name is another matter', async () => {
    const { run, begin, rcpt } = client('localhost')
    await begin()
    expect(await rcpt()).toMatchObject(REFUSED)
    await run.ask('ehlo', { kind: 'ehlo', domain: 'mail.far.example' })
    await run.ask('mail', MAIL)
    expect(await rcpt()).toMatchObject({ kind: 'go' })
  })

  test.each<[label: string, entries: readonly FakeEntry[], result: object]>([
    [
      'pass',
      [
        [REVERSE, 'PTR', ['mail.far.example']],
        ['mail.far.example', 'A', [SESSION.peer.address]],
      ],
      { result: 'pass', comment: 'mail.far.example' },
    ],
    ['fail', [[REVERSE, 'PTR', ['mail.far.example']]], { result: 'fail' }],
    ['permerror', [], { result: 'permerror' }],
    ['temperror', [[REVERSE, 'PTR', 'servfail']], { result: 'temperror' }],
  ])('iprev says %s for Authentication-Results (RFC 8601 section 3)', async (_label, entries, result) => {
    const { run, begin } = client('mail.far.example', { iprev: true }, entries)
    await begin()
    expect(await run.ask('headers', { ...HEADERS, notes: run.notes })).toMatchObject({ kind: 'go' })
    expect(run.notes.results).toEqual([
      { method: 'iprev', ...result, properties: [['policy.iprev', SESSION.peer.address]] },
    ])
  })

  test('nobody is asked about a client without an address', async () => {
    const peer = { address: '/run/mail', port: 0, family: 'unix' } as const
    const { run, begin, rcpt, resolver } = client('mail.far.example', { ...ALL, iprev: true }, [], { peer })
    await begin()
    expect(await rcpt()).toMatchObject({ kind: 'go' })
    await run.ask('headers', { ...HEADERS, notes: run.notes })
    expect(run.notes.results).toEqual([])
    expect(resolver.asked).toEqual([])
  })

  test('one of our own proxies may call itself what it likes, a client that it speaks for may not', async () => {
    const proxy = client('localhost', {}, [], { isProxy: true })
    await proxy.begin()
    expect(await proxy.rcpt()).toMatchObject({ kind: 'go' })
    await proxy.begin(false)
    expect(await proxy.rcpt()).toMatchObject(REFUSED)
  })
})
