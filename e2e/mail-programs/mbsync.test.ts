// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { settingsFile, succeed } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { backendsOf, startTwoDovecots, type TwoDovecots, USERS } from '../lib/two-dovecots.js'

const MESSAGES = 500

scenario('mbsync with full mailboxes', { programs: ['dovecot', 'mbsync', 'openssl'], root: true }, () => {
  let dovecots: TwoDovecots
  let portico: Portico<'imap' | 'imaps'>

  beforeAll(async () => {
    dovecots = await startTwoDovecots()
    portico = await startPortico({
      listeners: { imap: { protocol: 'imap4', tls: 'starttls' }, imaps: { protocol: 'imap4', tls: 'implicit' } },
      users: USERS,
      backends: backendsOf(dovecots, 'imap4'),
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await dovecots?.[Symbol.asyncDispose]()
  })

  test.each([
    ['STARTTLS on both legs, LOGIN', 'alice', 'STARTTLS', 'LOGIN'],
    ['TLS from the first octet on both legs, PLAIN, master user', 'bob', 'IMAPS', 'PLAIN'],
  ] as const)(
    '%s: 500 messages come down and 500 others go up, each as it was',
    async (_label, user, ssl, mechanism) => {
      const dovecot = user === 'alice' ? dovecots.first : dovecots.second
      dovecot.deliver(user, ...Array.from({ length: MESSAGES }, (_, number) => messageFor(user, 'down', number)))
      const before = hashes(await dovecot.mailOf(user, MESSAGES + 1))
      expect(before).toHaveLength(MESSAGES + 1)

      const folder = privateFolder('mbs')
      const port = portico.ports[ssl === 'IMAPS' ? 'imaps' : 'imap']
      const rc = settingsFile('rc', settings({ folder, user, ssl, mechanism, port })).file
      const sync = () => succeed('mbsync', ['-c', rc, '-a'], { env: { HOME: folder } })
      await sync()
      expect(hashes(near(folder))).toEqual(before)

      for (const name of ['cur', 'new', 'tmp']) mkdirSync(join(folder, 'INBOX', name), { recursive: true })
      for (let number = 0; number < MESSAGES; number++) {
        writeFileSync(join(folder, 'INBOX/new', `${number}.up`), messageFor(user, 'up', number))
      }
      const both = hashes(near(folder))
      expect(new Set(both).size).toBe(2 * MESSAGES + 1)
      await sync()
      expect(hashes(await dovecot.mailOf(user, 2 * MESSAGES + 1))).toEqual(both)
      expect(hashes(near(folder))).toEqual(both)
      rmSync(folder, { recursive: true })
    },
  )
})

interface Settings {
  readonly folder: string
  readonly user: string
  readonly ssl: string
  readonly mechanism: string
  readonly port: number
}

function settings({ folder, user, ssl, mechanism, port }: Settings): string {
  return `IMAPStore far
Host localhost
Port ${port}
User ${user}
Pass ${user}pw
SSLType ${ssl}
CertificateFile ${testCertificates().ca.certificateFile}
AuthMechs ${mechanism}

MaildirStore near
Path ${folder}/
Inbox ${folder}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
`
}

/** Sizes from a few octets to 200 KB; lines that begin with a dot or are long, words of IMAP, octets beyond ASCII. */
function messageFor(user: string, way: string, number: number): string {
  const line = ['.', '..', ')', '* BYE', `a${number} OK {12}`, 'Grüße', 'x'.repeat(900)][number % 7] ?? ''
  const lines = Array.from({ length: number % 100 === 99 ? 2_000 : number % 40 }, () => `${line}\n`)
  const type = 'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit'
  return `From: carol@test.lan\nTo: ${user}@test.lan\nSubject: ${way} ${number}\n${type}\n\n${lines.join('')}\n`
}

function near(folder: string): string[] {
  const inbox = join(folder, 'INBOX')
  return ['new', 'cur'].flatMap((part) => readdirSync(join(inbox, part)).map((name) => read(join(inbox, part, name))))
}

const read = (file: string): string => readFileSync(file, 'utf8')

/** One for each message, sorted. mbsync marks what it copies with a header field of its own. */
function hashes(messages: readonly string[]): readonly string[] {
  return messages
    .map((message) => message.replace(/^X-TUID: .*\n/m, ''))
    .map((message) => createHash('sha256').update(message).digest('hex'))
    .sort()
}
