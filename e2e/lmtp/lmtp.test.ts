// SPDX-License-Identifier: MIT
import {
  CYRUS_PROGRAMS,
  type Cyrus,
  type Dovecot,
  type Postfix,
  startCyrus,
  startDovecot,
  startPostfix,
  testCertificates,
} from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrivedAt, copiesOf } from '../lib/arrival.js'
import { run, succeed } from '../lib/clients.js'
import { LineClient } from '../lib/line-client.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

const needs = { programs: [...CYRUS_PROGRAMS, 'dovecot', 'postfix', 'swaks', 'curl', 'openssl'], root: true }
const REPLY = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n$/m

/** alice is at the first Dovecot, bob at the second, carl at the Cyrus; ghost is where nobody knows him. */
scenario('mail delivered to mailbox servers by LMTP', needs, () => {
  let dovecots: readonly [Dovecot, Dovecot]
  let cyrus: Cyrus
  let portico: Portico<'smtp' | 'duplicating' | 'lmtp'>
  /** MTAs in front: they send what they are given to one of the listeners. */
  let relay: Postfix
  let byLmtp: Postfix

  beforeAll(async () => {
    const ca = testCertificates().ca.certificateFile
    ;[dovecots, cyrus] = await Promise.all([
      Promise.all([
        startDovecot({ name: 'mbx1', users: { alice: 'alicepw', anna: 'annapw' } }),
        startDovecot({ name: 'mbx2', users: { bob: 'bobpw' } }),
      ]),
      startCyrus({ users: { carl: 'carlpw' }, mailboxes: 'sign-in' }),
    ])
    await succeed('curl', ['-sS', `imap://127.0.0.1:${cyrus.ports.imap}/`, '-u', 'carl:carlpw'])
    const group = (port: number, tls: unknown = { mode: 'none' }) => ({
      lmtp: { endpoints: [`127.0.0.1:${port}`], tls },
    })
    const domains = ['test.lan']
    portico = await startPortico({
      listeners: {
        smtp: { protocol: 'smtp', tls: 'none', connector: 'inbound' },
        duplicating: { protocol: 'smtp', tls: 'none', connector: 'duplicating' },
        lmtp: { protocol: 'smtp', tls: 'none', connector: 'lmtp' },
      },
      users: [
        'alice:::::::group=mbx1',
        'anna:::::::group=mbx1',
        'bob:::::::group=mbx2',
        'carl:::::::group=cyrus',
        'ghost:::::::group=mbx1',
      ],
      backends: {
        mbx1: group(dovecots[0].ports.lmtp, { mode: 'starttls', ca, servername: 'localhost' }),
        mbx2: group(dovecots[1].ports.lmtp),
        cyrus: group(cyrus.ports.lmtp),
      },
      more: {
        smtp: {
          connectors: {
            inbound: { domains, tarpit: '0s' },
            duplicating: { domains, tarpit: '0s', multipleRecipients: 'may-duplicate' },
            lmtp: { domains, tarpit: '0s', lmtp: true },
          },
        },
      },
    })
    ;[relay, byLmtp] = await Promise.all([
      startPostfix({ name: 'relay', smtpPort: portico.ports.smtp, extra: AT_ONCE }),
      startPostfix({ name: 'by-lmtp', lmtpPort: portico.ports.lmtp, extra: AT_ONCE }),
    ])
  })
  afterAll(async () => {
    await Promise.all([relay, byLmtp].map((server) => server?.stop()))
    await portico?.stop()
    await Promise.all([...(dovecots ?? []), cyrus].map((server) => server?.stop()))
  })

  const servers = () => [...dovecots, cyrus]
  const send = (port: number, to: readonly string[], subject: string, ...more: readonly string[]) =>
    run('swaks', [
      ...['--server', '127.0.0.1', '--port', String(port), '--from', 'carol@example.org', '--to', to.map(at).join(',')],
      ...['--header', `Subject: ${subject}`, '--body', '.dot first\nhello', ...more],
    ])
  /** How many copies each of them has. */
  const copies = async (subject: string, ...users: readonly string[]) =>
    Object.fromEntries(
      await Promise.all(users.map(async (user) => [user, (await copiesOf(servers(), user, subject)).length])),
    )

  test.each([
    ['alice', 1],
    ['bob', 2],
    ['carl', 3],
  ])('mail for %s comes to lie in server %d, when the 250 is said', async (user, server) => {
    const done = await send(portico.ports.smtp, [user], `for ${user}`)
    expect(done.code, done.stdout).toBe(0)
    const [arrival, ...more] = await copiesOf(servers(), user, `for ${user}`)
    expect([arrival?.server, more]).toEqual([server, []])
    expect(arrival?.text).toMatch(/^\.dot first\r?$/m)
  })

  test('Dovecot is told who the client is (XCLIENT)', async () => {
    await send(portico.ports.smtp, ['alice'], 'facts', '--local-interface', '127.0.0.77', '--helo', 'client.example')
    const { text } = await arrivedAt(servers(), 'alice', 'facts')
    expect(text).toMatch(/Received: from client\.example \(.*\[127\.0\.0\.77\]\)/)
  })

  test('whom the mailbox server does not know is refused by it before there is a message (550 5.1.1)', async () => {
    const done = await send(portico.ports.smtp, ['ghost'], 'x')
    expect(done.stdout).toMatch(/<\*\* 550 5\.1\.1 .*ghost@test\.lan/)
    expect(done.stdout).not.toContain('354')
  })

  test('a second recipient is to come in another transaction (452 4.5.3), on the same server or not', async () => {
    for (const second of ['anna', 'bob']) {
      const done = await send(portico.ports.smtp, ['alice', second], `first of two, not ${second}`)
      expect(done.stdout).toMatch(/<\*\* 452 4\.5\.3 /)
      expect(await copies(`first of two, not ${second}`, 'alice', second)).toEqual({ alice: 1, [second]: 0 })
    }
  })

  test('an MTA does so: all four have it once', async () => {
    const users = ['alice', 'anna', 'bob', 'carl']
    const done = await send(relay.port, users, 'by an MTA')
    expect(done.code, done.stdout).toBe(0)
    await relay.settled()
    expect(await copies('by an MTA', ...users)).toEqual({ alice: 1, anna: 1, bob: 1, carl: 1 })
  })

  describe('where messages may come twice', () => {
    test('all recipients are taken at once, and have it once while all goes well', async () => {
      const users = ['alice', 'anna', 'bob', 'carl']
      const done = await send(portico.ports.duplicating, users, 'all at once')
      expect(done.code, done.stdout).toBe(0)
      expect(await copies('all at once', ...users)).toEqual({ alice: 1, anna: 1, bob: 1, carl: 1 })
    })
  })

  describe('clients that speak LMTP', () => {
    test('swaks: an answer for each recipient', async () => {
      const users = ['alice', 'anna', 'bob', 'carl']
      const done = await send(portico.ports.lmtp, users, 'lmtp by swaks', '--protocol', 'LMTP')
      expect(done.code, done.stdout).toBe(0)
      expect(done.stdout.split(/ -> \.\n/)[1]?.match(/^<- {2}250 /gm)).toHaveLength(4)
      expect(await copies('lmtp by swaks', ...users)).toEqual({ alice: 1, anna: 1, bob: 1, carl: 1 })
    })

    test('Postfix: who can have it has it once, and who cannot is told of in its log', async () => {
      const done = await send(byLmtp.port, ['alice', 'bob', 'ghost', 'carl'], 'lmtp by Postfix')
      expect(done.code, done.stdout).toBe(0)
      await byLmtp.settled()
      expect(await copies('lmtp by Postfix', 'alice', 'bob', 'carl')).toEqual({ alice: 1, bob: 1, carl: 1 })
      expect(await byLmtp.logged(/to=<ghost@test\.lan>/)).toMatch(/status=bounced .* 550 5\.1\.1 /)
      for (const user of ['alice', 'bob', 'carl'])
        expect(await byLmtp.logged(new RegExp(`to=<${user}@test\\.lan>`))).toMatch(/status=sent /)
    })

    test('a server that is gone: its recipients are to come again, the others have the message', async () => {
      const client = await LineClient.connect(portico.ports.lmtp)
      await client.until(REPLY)
      for (const command of ['LHLO client.example', 'MAIL FROM:<carol@example.org>', ...['bob', 'alice'].map(rcpt)])
        expect(await client.ask(command, REPLY)).toMatch(/^250/)
      expect(await client.ask('DATA', REPLY)).toMatch(/^354/)
      client.send('Subject: one is gone\r\n\r\n')
      await dovecots[1].kill()
      client.send('hello\r\n.\r\n')
      const said = await client.until(/^\d{3} .*\r\n\d{3} .*\r\n/m)
      expect(said).toMatch(/^451 4\..*\r\n250 /)
      client.destroy()
      expect(await copies('one is gone', 'alice')).toEqual({ alice: 1 })
      dovecots = [dovecots[0], await startDovecot({ users: { bob: 'bobpw' }, successorOf: dovecots[1] })]
      expect(await copies('one is gone', 'bob')).toEqual({ bob: 0 })
    })
  })
})

/** Deferred recipients are tried again at once, and several of a message go in one transaction. */
const AT_ONCE = 'minimal_backoff_time = 1s\nqueue_run_delay = 1s\nvirtual_destination_recipient_limit = 50'

const at = (user: string): string => `${user}@test.lan`
const rcpt = (user: string): string => `RCPT TO:<${at(user)}>`
