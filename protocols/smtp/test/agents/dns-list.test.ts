// SPDX-License-Identifier: MIT
import { createTimerWheel } from '@portico/net'
import { createFakeClock, turns } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import type { AgentSession } from '../../src/agents/agent.js'
import { dnsList } from '../../src/agents/dns-list/dns-list.js'
import { parseHeader } from '../../src/message/header-fields.js'
import { type FakeEntry, fakeResolver } from './fake-resolver.js'
import { listeningLog, made, recipient, SESSION, stage } from './support.js'

const RCPT = { sender: undefined, parameters: new Map(), accepted: 0 }
const LISTED = ['127.0.0.2']

interface Play {
  readonly providers: readonly object[]
  readonly dns?: readonly FakeEntry[]
  readonly more?: object
  readonly session?: Partial<AgentSession>
}

/** A client of 192.0.2.7 before lists in a DNS that a test writes. */
function play({ providers, dns = [], more = {}, session = {} }: Play) {
  const resolver = fakeResolver(dns)
  const log = listeningLog()
  const clock = createFakeClock()
  const agent = made(dnsList, { providers, ...more }, { resolver, log, clock, wheel: createTimerWheel(clock) })
  const open = () => stage([agent], session)
  const staged = open()
  const to = (address: string) => staged.run.ask('rcpt', { ...RCPT, recipient: recipient(address) })
  const connect = () => staged.run.ask('connect', { greeting: true })
  return { ...staged, agent, resolver, log, clock, open, connect, to }
}

const refusal = (text: string) => ({
  kind: 'refuse',
  close: false,
  reply: { code: 550, enhanced: '5.7.1', lines: [text] },
})

describe('dns-list', () => {
  test('refuses whom a list holds at each recipient, but for those whom everybody may write to', async () => {
    const { connect, to } = play({ providers: [{ zone: 'bl.test' }], dns: [['7.2.0.192.bl.test', 'A', LISTED]] })
    expect(await connect()).toMatchObject({ kind: 'go' })
    for (const address of ['alice@test.lan', 'bob@test.lan'])
      expect(await to(address)).toMatchObject(refusal('192.0.2.7 is listed at bl.test'))
    expect(await to('postmaster@test.lan')).toMatchObject({ kind: 'go' })
  })

  test('lets others through, and has asked once', async () => {
    const { connect, to, resolver } = play({ providers: [{ zone: 'bl.test' }] })
    await connect()
    for (const address of ['alice@test.lan', 'bob@test.lan']) expect(await to(address)).toMatchObject({ kind: 'go' })
    expect(resolver.asked).toEqual(['A 7.2.0.192.bl.test'])
  })

  test('says what the first list in their order says, in its words, which are asked for only there', async () => {
    const { connect, to, resolver } = play({
      providers: [
        { zone: 'one.test' },
        { zone: 'two.test', reply: '%IP%: %TEXT% (%ZONE%, %ANSWER%)' },
        { zone: 'three.test' },
      ],
      dns: [
        ['7.2.0.192.two.test', 'A', LISTED],
        ['7.2.0.192.two.test', 'TXT', ['ask https://two.test/']],
        ['7.2.0.192.three.test', 'A', LISTED],
      ],
    })
    await connect()
    expect(await to('alice@test.lan')).toMatchObject(refusal('192.0.2.7: ask https://two.test/ (two.test, 127.0.0.2)'))
    expect(resolver.asked.toSorted()).toEqual([
      'A 7.2.0.192.one.test',
      'A 7.2.0.192.three.test',
      'A 7.2.0.192.two.test',
      'TXT 7.2.0.192.two.test',
    ])
  })

  test('does not hold up the greeting for a list that blocks', () => {
    const { connect } = play({ providers: [{ zone: 'bl.test' }], dns: [['7.2.0.192.bl.test', 'A', 'silent']] })
    return expect(connect()).resolves.toMatchObject({ kind: 'go' })
  })

  test('refuses instead of a greeting where the site wants it, and only there', async () => {
    const blocked = play({
      providers: [{ zone: 'bl.test' }, { zone: 'senders.test', of: 'sender' }],
      dns: [['7.2.0.192.bl.test', 'A', LISTED]],
      more: { when: 'connect' },
    })
    expect(await blocked.connect()).toMatchObject({
      ...refusal('192.0.2.7 is listed at bl.test'),
      close: true,
      reply: { code: 554 },
    })
    const away = play({
      providers: [{ zone: 'bl.test' }],
      dns: [['7.2.0.192.bl.test', 'A', 'servfail']],
      more: { when: 'connect', whenAway: 'tempfail' },
    })
    expect(await away.connect()).toMatchObject({ kind: 'refuse', close: true, reply: { code: 421 } })
  })

  test('of whom it only marks, it says so once', async () => {
    const { connect, to, lines } = play({
      providers: [{ zone: 'bl.test' }],
      dns: [['7.2.0.192.bl.test', 'A', LISTED]],
      more: { when: 'connect', action: 'tag' },
    })
    expect(await connect()).toMatchObject({ kind: 'go' })
    expect(await to('alice@test.lan')).toMatchObject({ kind: 'go' })
    expect(lines.filter(({ message }) => message === 'an agent marked')).toHaveLength(1)
  })

  test('asks about the client that a proxy speaks for, not about the proxy', async () => {
    const { connect, run, to } = play({
      providers: [{ zone: 'bl.test' }],
      dns: [['7.2.0.192.bl.test', 'A', LISTED]],
      session: { isProxy: true },
    })
    await connect()
    expect(await to('alice@test.lan')).toMatchObject({ kind: 'go' })
    await run.ask('connect', { greeting: false })
    expect(await to('alice@test.lan')).toMatchObject(refusal('192.0.2.7 is listed at bl.test'))
  })

  test('exempts whom an allow list holds before one that blocks', async () => {
    const { connect, to, run } = play({
      providers: [{ zone: 'wl.test', kind: 'allow' }, { zone: 'bl.test' }],
      dns: [
        ['7.2.0.192.wl.test', 'A', ['127.0.5.1']],
        ['7.2.0.192.bl.test', 'A', LISTED],
      ],
    })
    expect(await connect()).toMatchObject({ kind: 'go' })
    expect(run.wants('rcpt')).toBe(false)
    expect(await to('alice@test.lan')).toMatchObject({ kind: 'go' })
  })

  test('exempts nobody whom a list before it blocks', async () => {
    const { connect, to } = play({
      providers: [{ zone: 'bl.test' }, { zone: 'wl.test', kind: 'allow' }],
      dns: [
        ['7.2.0.192.wl.test', 'A', ['127.0.5.1']],
        ['7.2.0.192.bl.test', 'A', LISTED],
      ],
    })
    await connect()
    expect(await to('alice@test.lan')).toMatchObject(refusal('192.0.2.7 is listed at bl.test'))
  })

  test.each([
    ['a private address', { peer: { ...SESSION.peer, address: '10.0.0.7' } }],
    ['loopback', { peer: { ...SESSION.peer, address: '127.0.0.1' } }],
    ['a socket', { peer: { address: '/run/mail', port: 0, family: 'unix' as const } }],
    ['a proxy of the site', { isProxy: true }],
  ])('does not ask about %s', async (_label, session) => {
    const { connect, to, resolver } = play({ providers: [{ zone: 'bl.test' }], session })
    await connect()
    expect(await to('alice@test.lan')).toMatchObject({ kind: 'go' })
    expect(resolver.asked).toEqual([])
  })

  test('knows domains: what a client calls itself, and whom its sender is of', async () => {
    let domain = ''
    const { connect, run, resolver } = play({
      session: {
        get hello() {
          return { kind: 'ehlo' as const, domain }
        },
      },
      providers: [
        { zone: 'names.test', of: 'helo' },
        { zone: 'senders.test', of: 'sender', reply: '%IP% sends for %SUBJECT%' },
      ],
      dns: [
        ['bad.example.names.test', 'A', LISTED],
        ['spam.example.senders.test', 'A', LISTED],
      ],
    })
    const from = (sender: string | undefined) =>
      run.ask('rcpt', {
        ...RCPT,
        sender: sender === undefined ? undefined : recipient(sender),
        recipient: recipient('alice@test.lan'),
      })
    await connect()
    domain = 'bad.example'
    expect(await from(undefined)).toMatchObject(refusal('bad.example is listed at names.test'))
    domain = 'good.example'
    expect(await from('x@spam.example')).toMatchObject(refusal('192.0.2.7 sends for spam.example'))
    expect(await from('x@ham.example')).toMatchObject({ kind: 'go' })
    expect(await from(undefined)).toMatchObject({ kind: 'go' })
    expect(resolver.asked).toEqual([
      'A bad.example.names.test',
      'A good.example.names.test',
      'A spam.example.senders.test',
      'A ham.example.senders.test',
    ])
  })

  test('tells now and then of a list that answers what is no listing', async () => {
    const { connect, to, log, clock, open } = play({
      providers: [{ zone: 'bl.test' }],
      dns: [['7.2.0.192.bl.test', 'A', ['127.255.255.254']]],
    })
    await connect()
    expect(await to('alice@test.lan')).toMatchObject({ kind: 'go' })
    await open().run.ask('connect', { greeting: true })
    await turns(3)
    const told = () => log.lines.filter(({ message }) => message === 'a DNS list gives answers that are no listings')
    expect(told()).toEqual([expect.objectContaining({ level: 'warn', list: 'bl.test', answer: '127.255.255.254' })])
    await clock.advance(600_000)
    await open().run.ask('connect', { greeting: true })
    await turns(3)
    expect(told()).toHaveLength(2)
  })
})

describe('a list that does not answer', () => {
  const AWAY: readonly FakeEntry[] = [['7.2.0.192.away.test', 'A', 'servfail']]

  test('is as if it held nobody, and the log names it once', async () => {
    const { connect, to, lines } = play({ providers: [{ zone: 'away.test' }, { zone: 'bl.test' }], dns: AWAY })
    await connect()
    for (const address of ['alice@test.lan', 'bob@test.lan']) expect(await to(address)).toMatchObject({ kind: 'go' })
    const told = lines.filter(({ message }) => message === 'an agent gave no answer')
    expect(told).toEqual([
      expect.objectContaining({
        agent: 'dns-list',
        whenAway: 'pass',
        error: expect.objectContaining({ message: 'no answer from away.test (servfail)' }),
      }),
    ])
  })

  test('puts every recipient off where the site wants it', async () => {
    const { connect, to } = play({ providers: [{ zone: 'away.test' }], dns: AWAY, more: { whenAway: 'tempfail' } })
    await connect()
    for (const address of ['alice@test.lan', 'bob@test.lan'])
      expect(await to(address)).toMatchObject({ kind: 'refuse', reply: { code: 451 } })
  })

  test('keeps no other list from being heard', async () => {
    const { connect, to, log } = play({
      providers: [{ zone: 'away.test' }, { zone: 'bl.test' }],
      dns: [...AWAY, ['7.2.0.192.bl.test', 'A', LISTED]],
    })
    await connect()
    expect(await to('alice@test.lan')).toMatchObject(refusal('192.0.2.7 is listed at bl.test'))
    expect(log.lines).toEqual([
      expect.objectContaining({ message: 'DNS lists gave no answer', lists: ['away.test (servfail)'] }),
    ])
  })

  test('is waited for no longer than the deadline', async () => {
    const { connect, to, clock } = play({
      providers: [{ zone: 'slow.test', reply: 'never' }, { zone: 'bl.test' }],
      dns: [
        ['7.2.0.192.slow.test', 'A', 'silent'],
        ['7.2.0.192.bl.test', 'A', LISTED],
      ],
      more: { deadline: '3s' },
    })
    await connect()
    let verdict: unknown
    const answer = Promise.resolve(to('alice@test.lan')).then((said) => {
      verdict = said
    })
    await clock.advance(2_900)
    expect(verdict).toBeUndefined()
    await clock.advance(300)
    await answer
    expect(verdict).toMatchObject(refusal('192.0.2.7 is listed at bl.test'))
  })

  test('without its text the listing counts', async () => {
    const { connect, to } = play({
      providers: [{ zone: 'bl.test', reply: 'blocked: %TEXT%' }],
      dns: [
        ['7.2.0.192.bl.test', 'A', LISTED],
        ['7.2.0.192.bl.test', 'TXT', 'timeout'],
      ],
    })
    await connect()
    expect(await to('alice@test.lan')).toMatchObject(refusal('blocked:'))
  })
})

test('with the session its questions end, and nothing is left behind', async () => {
  const { connect, run, clock } = play({
    providers: [{ zone: 'bl.test' }],
    dns: [['7.2.0.192.bl.test', 'A', 'silent']],
  })
  await connect()
  run.end()
  await clock.advance(200)
  expect(clock.pending).toBe(0)
})

describe('behind mail servers of the site', () => {
  const dns: readonly FakeEntry[] = [
    ['9.100.51.198.bl.test', 'A', LISTED],
    ['8.100.51.198.wl.test', 'A', LISTED],
    ['8.100.51.198.bl.test', 'A', LISTED],
  ]
  const relayed = (more: object = {}) =>
    play({
      providers: [{ zone: 'wl.test', kind: 'allow' }, { zone: 'bl.test' }],
      dns,
      more: { internalServers: ['192.0.2.0/24'], ...more },
    })
  const headers = (staged: ReturnType<typeof relayed>, received: string, to = 'alice@test.lan') =>
    staged.run.ask('headers', {
      envelope: { sender: undefined, recipients: [recipient(to)] },
      fields: parseHeader(Buffer.from(`Received: ${received}\r\n`), 'plain'),
      notes: staged.run.notes,
    })

  test('the address from which a message came to them is asked about', async () => {
    const staged = relayed()
    await staged.connect()
    expect(await staged.to('alice@test.lan')).toMatchObject({ kind: 'go' })
    expect(staged.resolver.asked).toEqual([])
    expect(await headers(staged, 'from x (x [198.51.100.9]) by mx.lan')).toMatchObject(
      refusal('198.51.100.9 is listed at bl.test'),
    )
    expect(await headers(staged, 'from x (x [198.51.100.7]) by mx.lan')).toMatchObject({ kind: 'go' })
  })

  test('an allow list counts for one message, not for all that they bring', async () => {
    const staged = relayed()
    expect(await headers(staged, 'from x (x [198.51.100.8]) by mx.lan')).toMatchObject({ kind: 'go' })
    expect(await headers(staged, 'from x (x [198.51.100.9]) by mx.lan')).toMatchObject({ kind: 'refuse' })
  })

  test('a message whose recipients may all be written to is let through', async () => {
    expect(await headers(relayed(), 'from x (x [198.51.100.9]) by mx.lan', 'postmaster@test.lan')).toMatchObject({
      kind: 'go',
    })
  })

  test('what was not known of one message is forgotten with it', async () => {
    const staged = play({
      providers: [{ zone: 'away.test' }],
      dns: [['9.100.51.198.away.test', 'A', 'servfail']],
      more: { internalServers: ['192.0.2.0/24'], whenAway: 'tempfail' },
    })
    const message = headers(staged, 'from x (x [198.51.100.9]) by mx.lan')
    expect(await message).toMatchObject({ kind: 'refuse', reply: { code: 451 } })
    expect(await staged.to('alice@test.lan')).toMatchObject({ kind: 'go' })
  })

  test('a message that does not say where it comes from is let through', async () => {
    const staged = relayed()
    expect(await headers(staged, 'by mx.lan')).toMatchObject({ kind: 'go' })
    expect(staged.resolver.asked).toEqual([])
  })
})
