// SPDX-License-Identifier: MIT
import { testCertificates } from '@portico/testkit'
import { ImapFlow, type ImapFlowOptions } from 'imapflow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { python, run } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'
import { backendsOf, startTwoDovecots, type TwoDovecots, USERS } from '../lib/two-dovecots.js'

const needs = { programs: ['dovecot', 'curl', 'python3', 'openssl'], root: true }

scenario('IMAP4 in front of two Dovecots', needs, () => {
  let dovecots: TwoDovecots
  let portico: Portico<'imap' | 'imaps'>
  const ca = (): string => testCertificates().ca.certificateFile

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

  const curl = (port: number, scheme: string, user: string, ...more: string[]) =>
    run('curl', [
      '-sS',
      '--ssl-reqd',
      '--cacert',
      ca(),
      `${scheme}://127.0.0.1:${port}/INBOX/;MAILINDEX=1`,
      '-u',
      user,
      ...more,
    ])

  describe('curl', () => {
    test.each([
      ['STARTTLS', 'imap', 'alice:alicepw', 'for alice'],
      ['STARTTLS, master user', 'imap', 'bob:bobpw', 'for bob'],
      ['TLS from the first octet', 'imaps', 'alice:alicepw', 'for alice'],
      ['TLS from the first octet, master user', 'imaps', 'bob:bobpw', 'for bob'],
    ] as const)('%s: each user finds the own mailbox (%s, %s)', async (_label, scheme, user, subject) => {
      const done = await curl(portico.ports[scheme], scheme, user)
      expect(done.stderr).toBe('')
      expect(done.stdout).toContain(`Subject: ${subject}`)
    })

    test.each(['AUTH=PLAIN', 'AUTH=LOGIN'])('signs in with %s', async (mechanism) => {
      const done = await curl(portico.ports.imaps, 'imaps', 'bob:bobpw', '--login-options', mechanism)
      expect(done.stdout).toContain('Subject: for bob')
    })
  })

  test('Python imaplib: STARTTLS, LOGIN, APPEND and FETCH of a message, then AUTHENTICATE PLAIN', async () => {
    const said = await python(
      `
import imaplib, ssl, sys
port, ca = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context(cafile=ca)
box = imaplib.IMAP4('127.0.0.1', port)
box.starttls(context)
box.login('bob', 'bobpw')
box.select('INBOX')
big = b'Subject: big\\r\\n\\r\\n' + b'x' * 300000 + b'\\r\\n'
print(box.append('INBOX', None, None, big)[0])
n = box.select('INBOX')[1][0].decode()
data = box.fetch(n, '(RFC822)')[1][0][1]
print('same' if data == big else 'different')
box.store(n, '+FLAGS', '\\\\Deleted'); box.expunge()
print(box.logout()[0])
box = imaplib.IMAP4('127.0.0.1', port)
box.starttls(context)
print(box.authenticate('PLAIN', lambda _: b'\\0bob\\0bobpw')[0], box.state)
print(box.logout()[0])
`,
      portico.ports.imap,
      ca(),
    )
    expect(said.split('\n')).toEqual(['OK', 'same', 'BYE', 'OK AUTH', 'BYE', ''])
  })

  describe('imapflow', () => {
    const flow = (options: Partial<ImapFlowOptions> & Pick<ImapFlowOptions, 'port' | 'auth'>): ImapFlow =>
      new ImapFlow({
        host: '127.0.0.1',
        logger: false,
        tls: { ca: testCertificates().ca.certificate, servername: 'localhost' },
        ...options,
      } as ImapFlowOptions)

    test.each(['LOGIN', 'AUTH=PLAIN', 'AUTH=LOGIN'])(
      'reads both mailboxes at once, signed in with %s',
      async (loginMethod) => {
        const alice = flow({
          port: portico.ports.imap,
          secure: false,
          auth: { user: 'alice', pass: 'alicepw', loginMethod },
        })
        const bob = flow({ port: portico.ports.imaps, secure: true, auth: { user: 'bob', pass: 'bobpw', loginMethod } })
        await Promise.all([alice.connect(), bob.connect()])
        const subjects = await Promise.all(
          [alice, bob].map(async (client) => {
            const lock = await client.getMailboxLock('INBOX')
            const message = await client.fetchOne('1', { envelope: true })
            lock.release()
            return message === false ? undefined : message.envelope?.subject
          }),
        )
        expect(subjects).toEqual(['for alice', 'for bob'])
        await Promise.all([alice.logout(), bob.logout()])
      },
    )

    test('is told that the password is wrong, and no backend hears of it', async () => {
      const before = dovecots.first.log().length
      const client = flow({ port: portico.ports.imaps, secure: true, auth: { user: 'alice', pass: 'guess' } })
      await expect(client.connect()).rejects.toMatchObject({ authenticationFailed: true })
      await eventually(() =>
        expect(portico.sessions().some(({ user, backend }) => user === 'alice' && backend === undefined)).toBe(true),
      )
      expect(dovecots.first.log().slice(before)).not.toContain('imap-login')
    })
  })

  test('the backend is told the client’s address and the session’s id (RFC 2971)', async () => {
    for (const [user, dovecot] of [
      ['alice:alicepw', dovecots.first],
      ['bob:bobpw', dovecots.second],
    ] as const) {
      const client = user === 'alice:alicepw' ? '127.0.0.77' : '127.0.0.78'
      const done = await curl(portico.ports.imaps, 'imaps', user, '--interface', client)
      expect(done.code).toBe(0)
      const line = await dovecot.logged(new RegExp(`Login: .*rip=${client.replaceAll('.', '\\.')},`))
      await eventually(() => expect(portico.sessions().map((session) => session['client'])).toContain(client))
      const ended = portico.sessions().find((session) => session['client'] === client)
      expect(line).toContain(`session=<${ended?.['session']}>`)
      expect(ended).toMatchObject({
        protocol: 'imap4',
        listener: 'imaps',
        user: user.split(':')[0],
        // Curl hangs up as soon as it has sent LOGOUT; whose end is seen first is chance.
        reason: expect.stringMatching(/^(client|backend)-closed$/),
      })
    }
  })

  test('no password is in any log line', () => {
    expect(portico.log()).toContain('session ended')
    for (const secret of ['alicepw', 'bobpw', 'masterpw', 'guess']) expect(portico.log()).not.toContain(secret)
  })
})
