// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { AddressList } from '../../src/agents/address-list.js'
import { agentsSchema } from '../../src/agents/agents-schema.js'
import { ipList } from '../../src/agents/ip-list.js'
import { NetworkList, parseNetworkList, parseTimestamp } from '../../src/agents/network-list.js'
import { recipientFilter } from '../../src/agents/recipient-filter.js'
import { listeningLog, made, recipient, SESSION, stage } from './support.js'

const folder = mkdtempSync(join(tmpdir(), 'lists-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a list of addresses', () => {
  const list = new AddressList(['Alice@Example.org', 'example.net', '*.example.com', 'postmaster@', 'bücher.example'])

  test.each([
    ['an address, in any case', 'aLICE@example.org', true],
    ['another one of its domain', 'bob@example.org', false],
    ['everybody at a domain', 'bob@example.net', true],
    ['nobody below it', 'bob@sub.example.net', false],
    ['everybody below a domain', 'bob@a.example.com', true],
    ['everybody far below it', 'bob@a.b.example.com', true],
    ['nobody at it', 'bob@example.com', false],
    ['no domain that only ends alike', 'bob@badexample.com', false],
    ['a domain by its A-label (RFC 5890)', 'bob@xn--bcher-kva.example', true],
    ['a domain by its U-label', 'bob@BÜCHER.example', true],
    ['a domain with the dot of the root', 'bob@example.net.', true],
    ['a local part anywhere', 'Postmaster@anywhere.example', true],
    ['a local part without a domain', 'postmaster', true],
  ])('holds %s', (_label, address, held) => {
    expect(list.holds(recipient(address))).toBe(held)
  })

  test.each(['a b@example.org', '@example.org', '*.', 'a@*.example', ''])('"%s" is no entry', (entry) => {
    expect(agentsSchema.safeParse([{ type: 'recipient-filter', block: [entry] }]).success).toBe(false)
  })
})

describe('a list of networks', () => {
  const noon = Date.UTC(2026, 5, 1, 12)
  const list = new NetworkList([{ network: '192.0.2.0/24' }, { network: '2001:db8::/32', until: noon }])

  test.each([
    ['a block for good', '192.0.2.7', noon + 1, true],
    ['a block until its time', '2001:db8::1', noon - 1, true],
    ['nothing from then on', '2001:db8::1', noon, false],
    ['nobody else', '198.51.100.1', 0, false],
    ['no Unix socket', '/run/mail', 0, false],
  ])('holds %s', (_label, address, now, held) => {
    expect(list.holds(address, now)).toBe(held)
  })

  test('is read from text with comments', () => {
    expect(
      parseNetworkList(
        '# ours\n192.0.2.0/24 ; SBL1\r\n\n2001:db8::1 until 2026-06-01T12:00:00Z\n10.0.0.1 until 2026-06-01T14:00+02:00\n',
      ),
    ).toEqual([
      { network: '192.0.2.0/24' },
      { network: '2001:db8::1', until: noon },
      { network: '10.0.0.1', until: noon },
    ])
  })

  test.each([
    ['no network', '192.0.2.0/24\nexample.org\n'],
    ['a time without its offset', '192.0.2.1\n192.0.2.2 until 2026-06-01T12:00:00\n'],
    ['a time that is none', '\n192.0.2.2 until tomorrow\n'],
    ['something behind', '\n192.0.2.2 for good\n'],
  ])('with %s is refused, and the line is named', (_label, text) => {
    expect(() => parseNetworkList(text)).toThrow(/^line 2:/)
  })

  test.each(['2026-02-30', '2026-06-01 12:00Z', '2026-13-01T00:00:00Z'])('%s is no time', (text) => {
    expect(parseTimestamp(text)).toBeUndefined()
  })
})

function listAgent(written: object, address = SESSION.peer.address) {
  const clock = createFakeClock()
  const log = listeningLog()
  const agent = made(ipList, written, {
    clock,
    log,
    pathOf: (path) => join(folder, path),
  })
  const { run } = stage([agent], { peer: { ...SESSION.peer, address } })
  return { run, clock, log, agent }
}

const RCPT = { sender: undefined, parameters: new Map(), accepted: 0 }

describe('ip-list', () => {
  test('refuses whom it blocks at each recipient, but for those whom everybody may write to', async () => {
    const { run } = listAgent({ block: ['192.0.2.0/24'] })
    expect(await run.ask('connect', { greeting: true })).toMatchObject({ kind: 'go' })
    for (const address of ['alice@test.lan', 'bob@test.lan']) {
      const verdict = await run.ask('rcpt', { ...RCPT, recipient: recipient(address) })
      expect(verdict).toMatchObject({ kind: 'refuse', close: false, reply: { code: 550, enhanced: '5.7.1' } })
    }
    expect(await run.ask('rcpt', { ...RCPT, recipient: recipient('postmaster@test.lan') })).toMatchObject({
      kind: 'go',
    })
  })

  test('refuses at once where the site wants it', async () => {
    const { run } = listAgent({ block: ['192.0.2.0/24'], when: 'connect' })
    expect(await run.ask('connect', { greeting: true })).toMatchObject({
      kind: 'refuse',
      close: true,
      reply: { code: 554, enhanced: '5.7.1' },
    })
  })

  test('whom it allows, it does not block', async () => {
    const { run } = listAgent({ block: ['192.0.2.0/24'], allow: ['192.0.2.7'], when: 'connect' })
    expect(await run.ask('connect', { greeting: true })).toMatchObject({ kind: 'go' })
    expect(await run.ask('rcpt', { ...RCPT, recipient: recipient('alice@test.lan') })).toMatchObject({ kind: 'go' })
  })

  test('an entry counts until its time', async () => {
    const { agent, clock } = listAgent({
      block: [{ network: '192.0.2.7', until: '2026-01-01T00:00:10Z' }],
      when: 'connect',
    })
    const ask = () => stage([agent]).run.ask('connect', { greeting: true })
    expect(await ask()).toMatchObject({ kind: 'refuse' })
    await clock.advance(10_000)
    expect(await ask()).toMatchObject({ kind: 'go' })
  })

  test('so does one that allows', async () => {
    const { agent, clock } = listAgent({
      block: ['192.0.2.0/24'],
      allow: ['198.51.100.1', { network: '192.0.2.7', until: '2026-01-01T00:00:10Z' }],
      when: 'connect',
    })
    const ask = () => stage([agent]).run.ask('connect', { greeting: true })
    expect(await ask()).toMatchObject({ kind: 'go' })
    await clock.advance(10_000)
    expect(await ask()).toMatchObject({ kind: 'refuse' })
  })

  test('its files are read again when they change; a broken one leaves the former one in place', async () => {
    writeFileSync(join(folder, 'allowed'), '')
    writeFileSync(join(folder, 'blocked'), '192.0.2.7\n')
    const { agent, clock, log } = listAgent({ allowFile: 'allowed', blockFile: 'blocked', when: 'connect' })
    const ask = () => stage([agent]).run.ask('connect', { greeting: true })
    expect(await ask()).toMatchObject({ kind: 'refuse' })
    writeFileSync(join(folder, 'blocked'), 'nonsense\n')
    await clock.advance(1_000)
    expect(await ask()).toMatchObject({ kind: 'refuse' })
    writeFileSync(join(folder, 'allowed'), '192.0.2.0/24\n')
    await clock.advance(1_000)
    expect(await ask()).toMatchObject({ kind: 'go' })
    expect(log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'error address list cannot be read, the former one stays',
      'info address list read again',
    ])
  })

  test('a file that cannot be read at first is an error', () => {
    expect(() => listAgent({ blockFile: 'absent' })).toThrow(/absent/)
  })
})

describe('recipient-filter', () => {
  const filter = made(recipientFilter, { block: ['staff@test.lan'] })

  test('says of whom it blocks what is said of those who do not exist', async () => {
    const { run } = stage([filter])
    expect(await run.ask('rcpt', { ...RCPT, recipient: recipient('Staff@test.lan') })).toEqual({
      kind: 'refuse',
      close: false,
      reply: { code: 550, enhanced: '5.1.1', lines: ['User unknown'] },
    })
    expect(await run.ask('rcpt', { ...RCPT, recipient: recipient('alice@test.lan') })).toMatchObject({ kind: 'go' })
  })

  test('does not hold for those who have a right not to be asked', async () => {
    const { run } = stage([filter], { bypassesAntiSpam: true })
    expect(await run.ask('rcpt', { ...RCPT, recipient: recipient('staff@test.lan') })).toMatchObject({ kind: 'go' })
  })

  test('reads more of them from a file', async () => {
    writeFileSync(join(folder, 'recipients'), '# for our own\nstaff@test.lan\nboard@\n')
    const { run } = stage([
      made(recipientFilter, { blockFile: 'recipients' }, { pathOf: (path) => join(folder, path) }),
    ])
    for (const [address, kind] of [
      ['staff@test.lan', 'refuse'],
      ['Board@other.lan', 'refuse'],
      ['alice@test.lan', 'go'],
    ] as const)
      expect(await run.ask('rcpt', { ...RCPT, recipient: recipient(address) })).toMatchObject({ kind })
  })

  describe('clients that guess names', () => {
    const HARVEST = { kind: 'refuse', reply: { code: 550, enhanced: '5.7.1' } }

    function guesses(written: object = { maxUnknown: { recipients: 2, per: '10m' } }) {
      const clock = createFakeClock()
      const agents = [made(recipientFilter, written, { state: createMemoryStore({ clock }) })]
      const visit = (address: string) => {
        const family = address.includes(':') ? 6 : 4
        const { run } = stage(agents, { peer: { address, port: 40_000, family } })
        const rcpt = async (to = 'alice@test.lan') => run.ask('rcpt', { ...RCPT, recipient: recipient(to) })
        return { run, rcpt }
      }
      return { clock, visit }
    }

    test('get nobody any more, except postmaster, from all addresses of their /64', async () => {
      const { visit } = guesses()
      const [one, other] = [visit('2001:db8::1'), visit('2001:db8::2')]
      one.run.unknown(recipient('a@test.lan'))
      expect(await other.rcpt()).toMatchObject({ kind: 'go' })
      other.run.unknown(recipient('b@test.lan'))
      for (const { rcpt } of [one, other]) expect(await rcpt()).toMatchObject(HARVEST)
      expect(await one.rcpt('postmaster@test.lan')).toMatchObject({ kind: 'go' })
      expect(await visit('2001:db8:0:1::1').rcpt()).toMatchObject({ kind: 'go' })
    })

    test('for a time', async () => {
      const { clock, visit } = guesses()
      const { run, rcpt } = visit('192.0.2.7')
      run.unknown(recipient('a@test.lan'))
      run.unknown(recipient('b@test.lan'))
      await clock.advance(10 * 60_000 - 1)
      expect(await rcpt()).toMatchObject(HARVEST)
      await clock.advance(1)
      expect(await rcpt()).toMatchObject({ kind: 'go' })
    })

    test('where the site says so, and nowhere else', async () => {
      const { run, rcpt } = guesses({ block: ['staff@test.lan'] }).visit('192.0.2.7')
      for (let at = 0; at < 100; at += 1) run.unknown(recipient('a@test.lan'))
      expect(await rcpt()).toMatchObject({ kind: 'go' })
    })
  })

  test('one that does nothing is a mistake', () => {
    const settings = recipientFilter.schema.parse({ type: 'recipient-filter' })
    expect(recipientFilter.problems?.(settings, { pathOf: (path) => path })).toEqual([
      { path: [], expectation: 'expected block, blockFile or maxUnknown' },
    ])
  })
})
