// SPDX-License-Identifier: MIT
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createUsersFileSource, openUsersFile, type UsersFileEntry } from '@portico/auth'
import { NEVER } from '@portico/base'
import { createFakeClock, credentialSourceCompliance, type FakeClock } from '@portico/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { parseUsersFile } from '../src/sources/users-file-syntax.js'
import { clientAt, hashThreads, recordingLog, requestOf } from './helpers.js'

const folder = mkdtempSync(join(tmpdir(), 'users-file-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

function fileWith(text: string, mode = 0o600): string {
  const path = join(folder, `users${files++}`)
  writeFileSync(path, text, { mode })
  chmodSync(path, mode)
  return path
}

function opened(text: string, options: { stripDomain?: boolean; clock?: FakeClock; mode?: number } = {}) {
  const { mode, clock = createFakeClock(), ...rest } = options
  const path = fileWith(text, mode)
  const log = recordingLog()
  return { path, log, clock, file: openUsersFile({ path, clock, log, ...rest }) }
}

credentialSourceCompliance('users file', async () => ({
  source: createUsersFileSource(opened('alice:{PLAIN}secret\nbob:{PLAIN}other\n').file, { hashThreads }),
  known: { user: 'alice', password: 'secret' },
  proves: 'accepted',
  unknownUser: 'not-here',
}))

describe('syntax', () => {
  const entryOf = (line: string) => {
    const parsed = parseUsersFile(line)
    return parsed.kind === 'users' ? [...parsed.users.values()][0] : parsed
  }
  test.each([
    ['two columns', 'alice:{PLAIN}x', 'alice', {}],
    ['upper case', 'Alice@Example.COM:{PLAIN}x', 'alice@example.com', {}],
    [
      'all columns',
      'a:{PLAIN}x:1000:100:Name:/home/a:/bin/sh:group=mbx1',
      'a',
      { uid: '1000', gid: '100', gecos: 'Name', home: '/home/a', group: 'mbx1' },
    ],
    [
      'extra fields',
      'a:{PLAIN}x::::::group=mbx1 host=h:993 userdb_mail=maildir:~/m',
      'a',
      { group: 'mbx1', host: 'h:993', mail: 'maildir:~/m' },
    ],
    ['a bare word, spaces', 'a:{PLAIN}x::::::  nologin  k=a=b', 'a', { nologin: '', k: 'a=b' }],
    ['CRLF', 'a:{PLAIN}x::::::k=v\r', 'a', { k: 'v' }],
    ['no password: it only routes', 'a:::::::group=mbx1', 'a', { group: 'mbx1' }],
  ])('%s', (_label, line, user, fields) => {
    const entry = entryOf(`# comment\n\n${line}\n`)
    expect(entry).toMatchObject({ user })
    expect(Object.fromEntries((entry as UsersFileEntry).fields)).toEqual(fields)
  })

  test.each([
    ['no name', ':{PLAIN}x', 'the user name is not a name'],
    ['a control character in the name', 'a\tb:{PLAIN}x', 'the user name is not a name'],
    ['a password without scheme', 'a:x', 'the password has no {SCHEME} prefix'],
    [
      'a network that is none',
      'a:{PLAIN}x::::::allow_nets=10.0.0.0/40',
      'allow_nets holds something that is not an address or CIDR block',
    ],
    ['the same user twice', 'b:{PLAIN}x\nB:{PLAIN}y', 'the user is already there'],
  ])('%s breaks the file, with the line that does', (_label, text, reason) => {
    expect(parseUsersFile(`ok:{PLAIN}x\n${text}\n`)).toEqual({
      kind: 'broken',
      line: 1 + text.split('\n').length,
      reason,
    })
  })

  test('a default scheme holds for passwords without prefix', () => {
    expect(parseUsersFile('a:x\n', 'PLAIN').kind).toBe('users')
  })

  test('the epoch changes with the password and with nothing else', () => {
    const epoch = (line: string) => (entryOf(line) as UsersFileEntry).epoch
    expect(epoch('a:{PLAIN}x')).toBe(epoch('a:{PLAIN}x::::::group=g'))
    expect(epoch('a:{PLAIN}x')).not.toBe(epoch('a:{PLAIN}y'))
  })
})

describe('names', () => {
  test('the local part alone matches only if the site says so, and a full name of its own wins', () => {
    const text = 'alice:{PLAIN}x::::::n=1\nalice@b.example:{PLAIN}x::::::n=2\n'
    const n = (file: ReturnType<typeof opened>['file'], name: string) => file.lookup(name)?.fields.get('n')
    const strict = opened(text).file
    expect([n(strict, 'ALICE'), n(strict, 'alice@a.example'), n(strict, 'Alice@B.example')]).toEqual([
      '1',
      undefined,
      '2',
    ])
    const loose = opened(text, { stripDomain: true }).file
    expect([n(loose, 'alice@a.example'), n(loose, 'alice@b.example'), n(loose, 'carol@a.example')]).toEqual([
      '1',
      '2',
      undefined,
    ])
  })
})

describe('the GUID of a mailbox', () => {
  const GUID = 'b3a2f1d0-0000-4000-8000-00000000a11c'
  const userOf = (text: string, name: string) => opened(text).file.mailbox(name)?.user

  test.each([
    [
      'in any case',
      `boss@a.example:{PLAIN}x::::::mailbox_guid=${GUID.toUpperCase()}`,
      `${GUID}@A.example`,
      'boss@a.example',
    ],
    [
      'in the domain of an address',
      `boss@a.example:{PLAIN}x::::::mailbox_guid=${GUID}`,
      `${GUID}@b.example`,
      'boss@a.example',
    ],
    ['of an account without a domain', `boss:{PLAIN}x::::::mailbox_guid=${GUID}`, `${GUID}@a.example`, 'boss'],
    ['without a domain', `boss:{PLAIN}x::::::mailbox_guid=${GUID}`, GUID, undefined],
    [
      'of two',
      `a:{PLAIN}x::::::mailbox_guid=${GUID}\nb:{PLAIN}x::::::mailbox_guid=${GUID}`,
      `${GUID}@a.example`,
      undefined,
    ],
    ['that is none', 'boss:::::::mailbox_guid=b', 'b@a.example', undefined],
    ['of nobody', 'boss:{PLAIN}x', 'boss@a.example', undefined],
  ])('%s', (_label, text, name, user) => {
    expect(userOf(`${text}\n`, name)).toBe(user)
  })

  test('names the account to whoever asks for it, and signs nobody in', async () => {
    const { file } = opened(`boss@a.example:{PLAIN}secret::::::mailbox_guid=${GUID}\n`)
    const source = createUsersFileSource(file, { hashThreads })
    expect(source.canonical?.(`${GUID}@a.example`)).toBe('boss@a.example')
    const verdict = await source.verify(requestOf(`${GUID}@a.example`, 'secret'), NEVER)
    expect(verdict).toEqual({ kind: 'not-here' })
  })
})

describe('the file changes', () => {
  test('it is read again, at most once a second', async () => {
    const { path, clock, file } = opened('alice:{PLAIN}x\n')
    writeFileSync(path, 'alice:{PLAIN}x\nbob:{PLAIN}y\n')
    expect(file.lookup('bob')).toBeUndefined()
    await clock.advance(1_000)
    expect(file.lookup('bob')?.user).toBe('bob')
  })

  test.each([
    ['broken', (path: string) => writeFileSync(path, 'alice:hunter2\n')],
    ['gone', (path: string) => rmSync(path)],
  ])('a file that is %s leaves the former one in place and is logged once', async (_label, spoil) => {
    const { path, clock, file, log } = opened('alice:{PLAIN}x\n')
    spoil(path)
    for (let i = 0; i < 3; i++) {
      await clock.advance(1_000)
      expect(file.lookup('alice')?.user).toBe('alice')
    }
    expect(log.lines).toHaveLength(1)
    expect(log.lines[0]).toMatch(/the former one stays/)
    expect(log.lines[0]).not.toContain('hunter2')
    writeFileSync(path, 'carol:{PLAIN}x\n')
    await clock.advance(1_000)
    expect(file.lookup('carol')?.user).toBe('carol')
  })

  test('at first a broken file is an error that names the line, and a readable one a warning', () => {
    expect(() => opened('alice:{PLAIN}x\nbob:hunter2\n')).toThrow(/line 2: the password has no \{SCHEME\} prefix$/)
    expect(opened('alice:{PLAIN}x\n', { mode: 0o644 }).log.lines[0]).toMatch(/readable by everybody/)
    expect(opened('alice:{PLAIN}x\n', { mode: 0o640 }).log.lines).toEqual([])
  })
})

describe('what bars an account is told only to who knows the password', () => {
  test.each([
    ['nologin', 'nologin', 'account-disabled'],
    ['disabled=yes', 'disabled=yes', 'account-disabled'],
    ['another protocol', 'protocols=pop3,smtp', 'protocol-disabled'],
    ['another network', 'allow_nets=10.0.0.0/8,2001:db8::/32', 'network-refused'],
  ])('%s', async (_label, extra, reason) => {
    const source = createUsersFileSource(opened(`alice:{PLAIN}x::::::${extra}\n`).file, { hashThreads })
    expect(await source.verify(requestOf('alice', 'x'), NEVER)).toEqual({ kind: 'rejected', reason })
    expect(await source.verify(requestOf('alice', 'y'), NEVER)).toEqual({
      kind: 'rejected',
      reason: 'invalid-credentials',
    })
  })

  test.each([
    ['nologin=no', 'nologin=no'],
    ['the protocol is listed', 'protocols=imap,pop3'],
    ['the network is listed', 'allow_nets=192.0.2.0/24'],
  ])('%s bars nobody', async (_label, extra) => {
    const source = createUsersFileSource(opened(`alice:{PLAIN}x::::::${extra} group=g\n`).file, { hashThreads })
    const answer = await source.verify(requestOf('ALICE', 'x', { client: clientAt() }), NEVER)
    expect(answer).toMatchObject({ kind: 'accepted', principal: { authcid: 'ALICE', user: 'alice' } })
  })

  test('somebody whom the file only routes is proved elsewhere', async () => {
    const source = createUsersFileSource(opened('alice:::::::group=g\n').file, { hashThreads })
    expect(await source.verify(requestOf('alice', ''), NEVER)).toEqual({ kind: 'not-here' })
  })

  test.each(['nologin', 'protocols=pop3', 'allow_nets=198.51.100.0/24'])(
    'a line without a password that bars its user (%s) is no way around the bar for the next source',
    async (field) => {
      const source = createUsersFileSource(opened(`alice:::::::group=one ${field}\n`).file, { hashThreads })
      expect(await source.verify(requestOf('alice', 'secret'), NEVER)).toEqual({
        kind: 'rejected',
        reason: 'invalid-credentials',
      })
    },
  )
})
