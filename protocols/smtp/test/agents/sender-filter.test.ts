// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFakeClock } from '@portico/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { senderFilter } from '../../src/agents/sender-filter.js'
import { parseHeader } from '../../src/message/header-fields.js'
import { listeningLog, made, recipient, stage } from './support.js'

const folder = mkdtempSync(join(tmpdir(), 'senders-'))
afterAll(() => rmSync(folder, { recursive: true }))

function filter(written: object, more: Parameters<typeof stage>[1] = {}) {
  const [clock, log] = [createFakeClock(), listeningLog()]
  const { run } = stage([made(senderFilter, written, { clock, log, pathOf: (path) => join(folder, path) })], more)
  return {
    clock,
    log,
    mail: async (sender: string | undefined) =>
      run.ask('mail', { sender: sender === undefined ? undefined : recipient(sender), parameters: new Map() }),
    headers: async (section: string) => {
      const fields = parseHeader(Buffer.from(section, 'latin1'), 'plain')
      return run.ask('headers', { envelope: { sender: undefined, recipients: [] }, fields, notes: run.notes })
    },
  }
}

const DENIED = {
  kind: 'refuse',
  close: false,
  reply: { code: 554, enhanced: '5.1.0', lines: ['Sender Denied'] },
}
const BLOCK = { block: ['eve@far.example', 'spam.example', '*.bulk.example'] }

describe('sender-filter', () => {
  test.each<[label: string, written: object, sender: string | undefined, denied: boolean]>([
    ['an address', BLOCK, 'Eve@far.example', true],
    ['another one of its domain', BLOCK, 'bob@far.example', false],
    ['a domain', BLOCK, 'anybody@spam.example', true],
    ['a domain below', BLOCK, 'anybody@a.b.bulk.example', true],
    ['the domain above', BLOCK, 'anybody@bulk.example', false],
    ['the null sender', BLOCK, undefined, false],
    ['the null sender where that is refused', { blankSender: true }, undefined, true],
    ['anybody where only the null sender is refused', { blankSender: true }, 'eve@far.example', false],
    ['an own domain, which is the connector’s to allow', { ownDomains: true }, 'alice@test.lan', false],
  ])('MAIL: %s', async (_label, written, sender, denied) => {
    expect(await filter(written).mail(sender)).toMatchObject(denied ? DENIED : { kind: 'go' })
  })

  test.each<[label: string, written: object, section: string, denied: boolean]>([
    ['an address', BLOCK, 'From: "A friend" <eve@FAR.example>\r\n', true],
    ['the second of several', BLOCK, 'From: bob@far.example, eve@far.example\r\n', true],
    ['the second of several fields', BLOCK, 'From: bob@far.example\r\nfrom: x@spam.example\r\n', true],
    ['a folded one', BLOCK, 'From: A friend\r\n <x@a.bulk.example>\r\n', true],
    ['a display name alone', BLOCK, 'From: "eve@far.example" <bob@far.example>\r\n', false],
    ['another field', BLOCK, 'From: bob@far.example\r\nSubject: eve@far.example\r\n', false],
    ['no From', BLOCK, 'Subject: x\r\n', false],
    ['no From where that is refused', { blankSender: true }, 'Subject: x\r\n', true],
    ['a From of nobody where that is refused', { blankSender: true }, 'From: nobody:;\r\n', true],
    ['an own domain where strangers may write it', BLOCK, 'From: alice@test.lan\r\n', false],
    ['an own domain', { ownDomains: true }, 'From: The boss <boss@Test.LAN>\r\n', true],
    ['a domain below an own one', { ownDomains: true }, 'From: news@lists.test.lan\r\n', false],
  ])('From: %s', async (_label, written, section, denied) => {
    expect(await filter(written).headers(section)).toMatchObject(denied ? DENIED : { kind: 'go' })
  })

  test('ends the session where the site wants it', async () => {
    expect(await filter({ ...BLOCK, close: true }).mail('eve@far.example')).toMatchObject({ ...DENIED, close: true })
  })

  test('people who have signed in are not looked at', async () => {
    const { mail, headers } = filter({ ...BLOCK, ownDomains: true }, { user: 'alice', bypassesAntiSpam: true })
    expect(await mail('eve@far.example')).toMatchObject({ kind: 'go' })
    expect(await headers('From: alice@test.lan\r\n')).toMatchObject({ kind: 'go' })
  })

  test('its file is read again when it changes; a broken one leaves the former one in place', async () => {
    const write = (text: string) => writeFileSync(join(folder, 'senders'), text)
    write('# those\neve@far.example ; until she stops\n\n*.bulk.example\n')
    const { clock, log, mail } = filter({ blockFile: 'senders' })
    expect(await mail('eve@far.example')).toMatchObject(DENIED)
    expect(await mail('x@y.bulk.example')).toMatchObject(DENIED)
    write('no entry at all\n')
    await clock.advance(1_000)
    expect(await mail('eve@far.example')).toMatchObject(DENIED)
    write('eve#1@far.example\n')
    await clock.advance(1_000)
    expect(await mail('eve@far.example')).toMatchObject({ kind: 'go' })
    expect(await mail('eve#1@far.example')).toMatchObject(DENIED)
    expect(log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'error address list cannot be read, the former one stays',
      'info address list read again',
    ])
  })

  test('what is wrong with its file is told before', () => {
    writeFileSync(join(folder, 'broken'), 'eve@far.example\na b\n')
    const settings = senderFilter.schema.parse({ type: 'sender-filter', blockFile: 'broken' })
    expect(senderFilter.problems?.(settings, { pathOf: (path) => join(folder, path) })).toMatchObject([
      { path: ['blockFile'], expectation: expect.stringContaining('line 2') },
    ])
  })
})
