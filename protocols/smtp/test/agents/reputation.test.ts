// SPDX-License-Identifier: MIT
import { createTimerWheel } from '@portico/net'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { type AgentSession, PASS } from '../../src/agents/agent.js'
import { reverseName } from '../../src/agents/dns/dns-name.js'
import { reputation } from '../../src/agents/reputation/reputation.js'
import { type FakeEntry, fakeResolver } from './fake-resolver.js'
import { agent, listeningLog, made, recipient, stage } from './support.js'

const DAY = 86_400_000
const GOOD_NAME: readonly FakeEntry[] = [
  [reverseName('192.0.2.7') ?? '', 'PTR', ['mail.far.example']],
  ['mail.far.example', 'A', ['192.0.2.7']],
]

/** A door with the agent, and another one that finds something when it is told to. */
function door(written: object = {}, entries = GOOD_NAME) {
  const clock = createFakeClock()
  const log = listeningLog()
  const state = createMemoryStore({ clock })
  const make = () =>
    made(reputation, written, { clock, log, state, wheel: createTimerWheel(clock), resolver: fakeResolver(entries) })
  let ours = make()
  const visit = (
    more: Partial<AgentSession> = {},
    other: { action?: 'tag' | 'reject' | 'tempfail'; scl?: number } = {},
  ) => {
    let finds = false
    const finder = agent(
      {
        mail: () => (finds ? { kind: 'against', reply: { code: 550, lines: ['no'] }, reason: 'bad' } : PASS),
      },
      { name: 'finder', action: other.action ?? 'reject', scl: other.scl },
    )
    const { run } = stage([ours, finder], more)
    return {
      run,
      connect: async (greeting = true) => run.ask('connect', { greeting }),
      hello: async (domain: string) => run.ask('ehlo', { kind: 'ehlo', domain }),
      mail: async (isBad: boolean) => {
        finds = isBad
        return run.ask('mail', { sender: undefined, parameters: new Map() })
      },
      rcpt: async (address = 'alice@test.lan') =>
        run.ask('rcpt', { sender: undefined, parameters: new Map(), accepted: 0, recipient: recipient(address) }),
    }
  }
  return {
    clock,
    log,
    visit,
    /** Another process. */
    renew: () => {
      ours = make()
    },
    /** So many messages of one client, each in a session of its own, all counted in the end. */
    async send(count: number, isBad: boolean, more: Partial<AgentSession> = {}, name = 'mail.far.example') {
      for (let at = 0; at < count; at += 1) {
        const session = visit(more)
        await session.connect()
        await session.hello(name)
        const { kind } = await session.mail(isBad)
        if (kind === 'go') session.run.concluded(true)
        session.run.end()
      }
      await settled()
    },
    async isRefused(more: Partial<AgentSession> = {}) {
      const session = visit(more)
      await session.connect()
      await session.mail(false)
      return (await session.rcpt()).kind === 'refuse'
    },
  }
}

/** The store and the DNS of tests answer within a few turns. */
async function settled() {
  for (let turns = 0; turns < 200; turns += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}

const from = (address: string): Partial<AgentSession> => ({
  peer: { address, port: 40_000, family: address.includes(':') ? 6 : 4 },
})

describe('reputation', () => {
  test('after twenty messages that nobody wanted a client is blocked, and no other one', async () => {
    const { send, isRefused, log } = door()
    await send(19, true)
    expect(await isRefused()).toBe(false)
    await send(1, true)
    expect(await isRefused()).toBe(true)
    expect(await isRefused(from('192.0.2.8'))).toBe(false)
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'a client is blocked for its reputation',
        client: '192.0.2.7',
        srl: 9,
        until: '2026-01-02T00:00:00.000Z',
        audit: false,
      },
    ])
  })

  test('a client that sends what is wanted is not', async () => {
    const { send, isRefused } = door()
    await send(100, false)
    await send(19, true)
    expect(await isRefused()).toBe(false)
  })

  test('what it says and the name of its address count, but block nobody', async () => {
    const { send, isRefused } = door({}, [])
    await send(40, false, {}, 'localhost')
    expect(await isRefused()).toBe(false)
    // Four of nine for what was sent, three for the rest.
    await send(32, true, {}, 'localhost')
    expect(await isRefused()).toBe(true)
  })

  test('the same is too little where the name is a good one', async () => {
    const { send, isRefused } = door()
    await send(40, false)
    await send(32, true)
    expect(await isRefused()).toBe(false)
  })

  test('the block ends after its time', async () => {
    const { send, isRefused, clock } = door()
    await send(20, true)
    await clock.advance(DAY - 1)
    expect(await isRefused()).toBe(true)
    await clock.advance(1)
    expect(await isRefused()).toBe(false)
  })

  test('another process knows it, too', async () => {
    const { send, isRefused, renew } = door()
    await send(10, true)
    renew()
    await send(10, true)
    expect(await isRefused()).toBe(true)
    renew()
    expect(await isRefused()).toBe(true)
  })

  test('a block counts in the session that has earned it', async () => {
    const { visit } = door({ from: 3 })
    const session = visit()
    await session.connect()
    await session.hello('mail.far.example')
    for (let at = 0; at < 4; at += 1) await session.mail(true)
    await settled()
    await session.mail(false)
    expect(await session.rcpt()).toMatchObject({ kind: 'refuse', reply: { code: 550, enhanced: '5.7.1' } })
    expect(await session.rcpt('postmaster@test.lan')).toMatchObject({ kind: 'go' })
  })

  test('instead of a greeting, where the site wants it', async () => {
    const { send, visit } = door({ when: 'connect', from: 2 })
    await send(2, true)
    expect(await visit().connect()).toMatchObject({ kind: 'refuse', close: true, reply: { code: 554 } })
  })

  test('the addresses of one /64 are one client', async () => {
    const { visit, send, isRefused } = door({ from: 2 })
    await send(1, true, from('2001:db8::1'))
    await send(1, true, from('2001:db8::2'))
    expect(await isRefused(from('2001:db8::3'))).toBe(true)
    expect(await isRefused(from('2001:db8:0:1::3'))).toBe(false)
    expect((await visit({ peer: { address: '/run/mail', port: 0, family: 'unix' } }).connect()).kind).toBe('go')
  })

  test.each([
    ['marked with a high level', 8, true],
    ['marked with a low level', 3, false],
    ['marked without a level', undefined, false],
  ])('messages that went on %s', async (_label, scl, blocked) => {
    const { visit, isRefused } = door({ from: 5 })
    for (let at = 0; at < 5; at += 1) {
      const session = visit({}, { action: 'tag', ...(scl === undefined ? {} : { scl }) })
      await session.connect()
      await session.hello('mail.far.example')
      await session.mail(true)
      session.run.concluded(true)
      session.run.end()
    }
    await settled()
    expect(await isRefused()).toBe(blocked)
  })

  test('messages that were put off count nothing: they come again, and are judged then', async () => {
    const { visit, isRefused } = door({ from: 2, threshold: 1 })
    const session = visit({}, { action: 'tempfail' })
    await session.connect()
    await session.hello('mail.far.example')
    for (let at = 0; at < 5; at += 1) expect(await session.mail(true)).toMatchObject({ reply: { code: 451 } })
    session.run.end()
    await settled()
    expect(await isRefused()).toBe(false)
  })

  test('messages that failed for no fault of the client count nothing', async () => {
    const { visit, isRefused } = door({ from: 2, threshold: 1 })
    for (let at = 0; at < 5; at += 1) {
      const session = visit({}, { action: 'tag' })
      await session.connect()
      await session.hello('mail.far.example')
      await session.mail(true)
      session.run.concluded(false)
      session.run.end()
    }
    await settled()
    expect(await isRefused()).toBe(false)
  })

  test('a proxy is not what its clients are, and they are', async () => {
    const { send, isRefused, visit } = door({ from: 2 })
    await send(5, true, { isProxy: true })
    expect(await isRefused()).toBe(false)
    await send(2, true)
    const client = visit({ isProxy: true })
    await client.connect(false)
    await client.mail(false)
    expect((await client.rcpt()).kind).toBe('refuse')
  })

  test('where it only watches, the log says whom it would block', async () => {
    const { send, isRefused, log } = door({ from: 2, audit: true })
    await send(2, true)
    expect(await isRefused()).toBe(false)
    expect(log.lines).toMatchObject([{ message: 'a client is blocked for its reputation', audit: true }])
  })

  test('where names are not looked up, nobody is asked', async () => {
    const { send, isRefused } = door({ reverseName: false, from: 2 }, [])
    await send(2, false)
    expect(await isRefused()).toBe(false)
  })
})
