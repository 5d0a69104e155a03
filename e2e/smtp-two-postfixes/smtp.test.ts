// SPDX-License-Identifier: MIT
import { type Dovecot, type Postfix, startDovecot, startPostfix, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrivedAt } from '../lib/arrival.js'
import { python, run } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'

const needs = { programs: ['dovecot', 'postfix', 'swaks', 'python3', 'openssl'], root: true }
/** No backend is asked what it offers, and refusals are not held back. */
const SETTLED = { extensions: ['8BITMIME'], tarpit: '0s' }

scenario('SMTP in front of two Postfixes', needs, () => {
  let dovecots: readonly [Dovecot, Dovecot]
  let postfixes: readonly [Postfix, Postfix]
  let portico: Portico<'smtp' | 'submission' | 'submissions'>
  const ca = (): string => testCertificates().ca.certificateFile

  beforeAll(async () => {
    dovecots = await Promise.all([
      startDovecot({ name: 'mbx1', users: { alice: 'alicepw', bob: 'bobpw' } }),
      startDovecot({ name: 'mbx2', users: { alice: 'alicepw', bob: 'bobpw' } }),
    ])
    const mta = (name: string, dovecot: Dovecot, recipients: string[]) =>
      startPostfix({ name, lmtpPort: dovecot.ports.lmtp, saslPort: dovecot.ports.sasl, recipients })
    postfixes = await Promise.all([
      mta('mta1', dovecots[0], ['alice@test.lan', 'bob@test.lan']),
      mta('mta2', dovecots[1], ['alice@test.lan', 'bob@test.lan']),
    ])
    const tls = { mode: 'starttls', ca: ca(), servername: 'localhost' }
    const group = (postfix: Postfix) => ({
      identity: 'xclient',
      // Postfix logs connections, and those that stand ready would look like somebody's.
      pool: { warm: 0 },
      smtp: { endpoints: [`127.0.0.1:${postfix.port}`], tls },
    })
    portico = await startPortico({
      listeners: {
        smtp: { protocol: 'smtp', tls: 'starttls', connector: 'inbound' },
        submission: { protocol: 'smtp', tls: 'starttls', connector: 'client' },
        submissions: { protocol: 'smtp', tls: 'implicit', connector: 'client' },
      },
      users: USERS,
      backends: { mbx1: group(postfixes[0]), mbx2: group(postfixes[1]) },
      more: {
        smtp: { connectors: { inbound: { domains: ['test.lan'], ...SETTLED }, client: SETTLED } },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all([...(postfixes ?? []), ...(dovecots ?? [])].map((server) => server.stop()))
  })

  const arrived = (user: string, subject: string) => arrivedAt(dovecots, user, subject)

  /** Connections that a log tells of; that one before them has ended is often told late. */
  const newcomers = (log: string): readonly string[] => log.match(/smtpd\[\d+\]: connect from .*/g) ?? []

  describe('mail from outside goes by its recipient', () => {
    const inbound = (to: string, subject: string, ...more: string[]) =>
      run('swaks', [
        ...['--server', '127.0.0.1', '--port', String(portico.ports.smtp), '--from', 'carol@example.org', '--to', to],
        ...['--header', `Subject: ${subject}`, '--body', 'hello', '--helo', 'client.example', ...more],
      ])

    test.each([
      ['alice', 1],
      ['bob', 2],
    ])('swaks to %s arrives at server %d', async (user, server) => {
      const done = await inbound(`${user}@test.lan`, `inbound for ${user}`, '-tls')
      expect(done.code, done.stdout).toBe(0)
      expect((await arrived(user, `inbound for ${user}`)).server).toBe(server)
    })

    test('Postfix is told the client’s address and HELO (XCLIENT)', async () => {
      expect((await inbound('alice@test.lan', 'facts', '--local-interface', '127.0.0.77')).code).toBe(0)
      const { text } = await arrived('alice', 'facts')
      expect(text).toMatch(/Received: from client\.example \(.*\[127\.0\.0\.77\]\)/)
      expect(await postfixes[0].logged(/client=.*\[127\.0\.0\.77\]/)).toContain('smtpd')
    })

    test('an unknown recipient is refused with 550 5.1.1, a foreign domain too, and no backend is asked', async () => {
      const before = postfixes.map((postfix) => postfix.log().length)
      const unknown = await inbound('nobody@test.lan', 'x')
      expect(unknown.code).toBe(24)
      expect(unknown.stdout).toMatch(/550 5\.1\.1/)
      const foreign = await inbound('dave@example.org', 'x')
      expect(foreign.stdout).toMatch(/55[04] 5\.7\.1/)
      for (const [index, postfix] of postfixes.entries())
        expect(newcomers(postfix.log().slice(before[index]))).toEqual([])
    })

    test('a message as large as it may be comes through whole', async () => {
      const said = await python(
        `
import smtplib, sys
body = ('x' * 70 + '\\r\\n') * 100000
smtp = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))
print(smtp.sendmail('carol@example.org', ['alice@test.lan'], 'Subject: large\\r\\n\\r\\n' + body))
smtp.quit()
`,
        portico.ports.smtp,
      )
      expect(said).toBe('{}\n')
      const { text } = await arrived('alice', 'large')
      expect(text.split('\n').filter((line) => line === 'x'.repeat(70))).toHaveLength(100_000)
    })
  })

  describe('mail of users goes to the server of the user', () => {
    test.each([
      ['PLAIN', 'alice', 1],
      ['LOGIN', 'bob', 2],
    ])('swaks with AUTH %s as %s goes to server %d', async (mechanism, user, server) => {
      const done = await run('swaks', [
        ...['--server', '127.0.0.1', '--port', String(portico.ports.submission), '-tls', '--auth', mechanism],
        ...['-au', user, '-ap', `${user}pw`, '--from', `${user}@test.lan`, '--to', 'bob@test.lan'],
        ...['--header', `Subject: submitted by ${user}`],
      ])
      expect(done.code, done.stdout).toBe(0)
      expect((await arrived('bob', `submitted by ${user}`)).server).toBe(server)
      expect(await postfixes[server - 1]?.logged(new RegExp(`sasl_username=${user}`))).toContain('XCLIENT')
    })

    test('Python smtplib: two messages in one session, RSET in between', async () => {
      const said = await python(
        `
import smtplib, ssl, sys
smtp = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))
smtp.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))
print(smtp.login('alice', 'alicepw')[0])
for n in (1, 2):
  print(smtp.sendmail('alice@test.lan', ['alice@test.lan'], 'Subject: smtplib %d\\r\\n\\r\\nhi' % n))
  print(smtp.rset()[0])
print(smtp.quit()[0])
`,
        portico.ports.submission,
        ca(),
      )
      expect(said.split('\n')).toEqual(['235', '{}', '250', '{}', '250', '221', ''])
      expect((await arrived('alice', 'smtplib 2')).server).toBe(1)
    })

    test('a wrong password is 535 5.7.8, sending without sign-in 530 5.7.0, and no backend hears of it', async () => {
      const before = postfixes.map((postfix) => postfix.log().length)
      const to = ['--server', '127.0.0.1', '--port', String(portico.ports.submission), '-tls', '--from', 'a@test.lan']
      const wrong = await run('swaks', [
        ...to,
        '--to',
        'bob@test.lan',
        '--auth',
        'PLAIN',
        '-au',
        'alice',
        '-ap',
        'guess',
      ])
      expect(wrong.stdout).toMatch(/535 5\.7\.8/)
      const none = await run('swaks', [...to, '--to', 'bob@test.lan'])
      expect(none.stdout).toMatch(/530 5\.7\.0/)
      for (const [index, postfix] of postfixes.entries())
        expect(newcomers(postfix.log().slice(before[index]))).toEqual([])
    })

    test('the backend’s refusal of a recipient is the client’s', async () => {
      const done = await run('swaks', [
        ...['--server', '127.0.0.1', '--port', String(portico.ports.submission), '-tls', '--auth', 'PLAIN'],
        ...['-au', 'alice', '-ap', 'alicepw', '--from', 'alice@test.lan', '--to', 'nobody@test.lan'],
      ])
      expect(done.stdout).toMatch(/550 5\.1\.1 .*nobody@test\.lan/)
    })
  })

  test('no password is in any log line', () => {
    expect(portico.log()).toContain('session ended')
    for (const secret of ['alicepw', 'bobpw', 'guess']) expect(portico.log()).not.toContain(secret)
  })
})
