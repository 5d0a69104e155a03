// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Dovecot, startDovecot, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run, settingsFile, succeed } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { imapScram } from '../lib/scram-client.js'

const needs = { programs: ['dovecot', 'mpop'], root: true }

/** A line of the users file, with the password stored by Dovecot's own tool. */
function account(user: string, scheme: string): string {
  const stored = execFileSync('doveadm', ['pw', '-s', scheme, '-p', `${user}pw`], { encoding: 'utf8' }).trim()
  return `${user}:${stored}::::::group=mbx`
}

scenario('sign-in without showing a password, in front of a Dovecot with a master user', needs, () => {
  let dovecot: Dovecot
  let portico: Portico<'imaps' | 'pop3'>
  const fingerprint = (): string => new X509Certificate(testCertificates().client.certificate).fingerprint256
  const ca = (): string => testCertificates().ca.certificateFile

  beforeAll(async () => {
    const nobodyKnows = 'not the one the front door knows'
    dovecot = await startDovecot({
      users: { alice: nobodyKnows, bob: nobodyKnows, carol: nobodyKnows, dave: nobodyKnows, erin: nobodyKnows },
      masters: { portico: 'masterpw' },
    })
    for (const user of ['alice', 'bob', 'carol', 'dave', 'erin']) {
      dovecot.deliver(user, `From: x@test.lan\r\nTo: ${user}@test.lan\r\nSubject: for ${user}\r\n\r\nlunch?\r\n`)
    }
    const secret = join(dovecot.folder, 'master-secret')
    writeFileSync(secret, 'masterpw\n', { mode: 0o600 })
    const tls = { mode: 'implicit', ca: ca(), servername: 'localhost' }
    const { imaps, pop3s } = dovecot.ports
    portico = await startPortico({
      listeners: {
        imaps: { protocol: 'imap4', tls: 'implicit' },
        pop3: { protocol: 'pop3', tls: 'starttls', clientCertificates: ca() },
      },
      users: [
        account('alice', 'SCRAM-SHA-256'),
        account('bob', 'SCRAM-SHA-1'),
        account('carol', 'CRAM-MD5'),
        account('dave', 'PLAIN'),
        `erin:::::::group=mbx certificate=${fingerprint()}`,
      ],
      backends: {
        mbx: {
          identity: { master: { user: 'portico', secret: { file: secret } } },
          imap4: { endpoints: [`127.0.0.1:${imaps}`], tls },
          pop3: { endpoints: [`127.0.0.1:${pop3s}`], tls },
        },
      },
      more: {
        auth: {
          mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'APOP', 'PLAIN', 'EXTERNAL'],
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await dovecot?.stop()
  })

  const mpop = (user: string, password: string, method: string, more = '') => {
    const { folder } = settingsFile('x', '')
    const inbox = join(folder, 'inbox')
    const text = `account default
host localhost
port ${portico.ports.pop3}
tls on
tls_starttls on
tls_trust_file ${ca()}
auth ${method}
user ${user}
password ${password}
keep on
delivery mbox ${inbox}
uidls_file ${folder}/uidls
${more}`
    return { args: ['-C', settingsFile('mpoprc', text).file], env: { HOME: folder }, inbox }
  }

  describe('mpop', () => {
    test.each([
      ['alice', 'scram-sha-256'],
      ['bob', 'scram-sha-1'],
      ['carol', 'cram-md5'],
      ['dave', 'scram-sha-256'],
      ['dave', 'cram-md5'],
      ['dave', 'apop'],
      ['alice', 'plain'],
      ['carol', 'plain'],
    ])('%s signs in with %s and finds the own mailbox', async (user, method) => {
      const { args, env, inbox } = mpop(user, `${user}pw`, method)
      await succeed('mpop', args, { env })
      expect(readFileSync(inbox, 'utf8')).toContain(`Subject: for ${user}`)
    })

    test.each(['scram-sha-256', 'cram-md5', 'apop'])(
      'a wrong password is refused by %s, and no backend hears of it',
      async (how) => {
        const before = dovecot.log()
        const { args, env } = mpop('dave', 'wrong', how)
        expect((await run('mpop', args, { env })).code).not.toBe(0)
        expect(dovecot.log()).toBe(before)
      },
    )
  })

  test('mpop signs in by its client certificate (EXTERNAL)', async () => {
    const { certificateFile, keyFile } = testCertificates().client
    const files = `tls_cert_file ${certificateFile}\ntls_key_file ${keyFile}\n`
    const own = mpop('erin', 'unused', 'external', files)
    await succeed('mpop', own.args, { env: own.env })
    expect(readFileSync(own.inbox, 'utf8')).toContain('Subject: for erin')
    const other = mpop('bob', 'unused', 'external', files)
    expect((await run('mpop', other.args, { env: other.env })).code).not.toBe(0)
    const without = mpop('erin', 'unused', 'external')
    expect((await run('mpop', without.args, { env: without.env })).code).not.toBe(0)
  })

  test('SCRAM-SHA-256-PLUS binds the TLS channel (RFC 9266), and the server proves itself before its OK', async () => {
    const login = { port: portico.ports.imaps, ca: readFileSync(ca(), 'utf8'), user: 'alice', flag: 'plus' } as const
    const [answer, last] = await imapScram({ ...login, password: 'alicepw' })
    expect(answer).toMatch(/^a OK /)
    expect(last).toMatch(/^\+ /)
    expect((await imapScram({ ...login, password: 'wrong' }))[0]).toMatch(/^a NO \[AUTHENTICATIONFAILED\]/)
  })

  test('a client that was shown a list without -PLUS is refused: somebody has changed it (RFC 5802 section 6)', async () => {
    const login = { port: portico.ports.imaps, ca: readFileSync(ca(), 'utf8'), user: 'alice', flag: 'y' } as const
    expect((await imapScram({ ...login, password: 'alicepw' }))[0]).toMatch(/^a NO \[AUTHENTICATIONFAILED\]/)
  })
})
