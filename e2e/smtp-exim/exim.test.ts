// SPDX-License-Identifier: MIT
import { type Dovecot, type Exim, startDovecot, startExim, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrivedAt, copiesOf } from '../lib/arrival.js'
import { run } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

const needs = { programs: ['dovecot', 'exim4', 'swaks', 'openssl'], root: true }

/** Exim knows no XCLIENT: users sign in there with the password that they have shown. */
scenario('SMTP in front of an Exim', needs, () => {
  let dovecot: Dovecot
  let exim: Exim
  let portico: Portico<'smtp' | 'submission'>

  beforeAll(async () => {
    dovecot = await startDovecot({ users: { alice: 'alicepw', bob: 'bobpw' } })
    exim = await startExim({ lmtpPort: dovecot.ports.lmtp, users: { alice: 'alicepw', bob: 'bobpw' } })
    const tls = { mode: 'starttls', ca: testCertificates().ca.certificateFile, servername: 'localhost' }
    portico = await startPortico({
      listeners: {
        smtp: { protocol: 'smtp', tls: 'starttls', connector: 'inbound' },
        submission: { protocol: 'smtp', tls: 'starttls', connector: 'client' },
      },
      users: [
        'alice:{PLAIN}alicepw::::::group=mbx',
        'bob:{PLAIN}bobpw::::::group=mbx',
        'ghost:{PLAIN}ghostpw::::::group=mbx',
      ],
      backends: { mbx: { identity: 'password', smtp: { endpoints: [`127.0.0.1:${exim.port}`], tls } } },
      more: { smtp: { connectors: { inbound: { domains: ['test.lan'], tarpit: '0s' } } } },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await exim?.stop()
    await dovecot?.stop()
  })

  const inbound = (to: string, subject: string, ...more: readonly string[]) =>
    run('swaks', [
      ...['--server', '127.0.0.1', '--port', String(portico.ports.smtp), '--from', 'carol@example.org', '--to', to],
      ...['--header', `Subject: ${subject}`, ...more],
    ])
  const submit = (user: string, password: string, subject: string) =>
    run('swaks', [
      ...['--server', '127.0.0.1', '--port', String(portico.ports.submission), '-tls', '--auth', 'PLAIN'],
      ...['-au', user, '-ap', password, '--from', `${user}@test.lan`, '--to', 'bob@test.lan'],
      ...['--header', `Subject: ${subject}`],
    ])

  test('mail from outside comes to its recipient', async () => {
    expect((await inbound('alice@test.lan', 'from outside', '-tls')).code).toBe(0)
    const { text } = await arrivedAt([dovecot], 'alice', 'from outside')
    expect(text).toMatch(/by exim\.test\.lan with esmtps /)
  })

  test('who submits signs in at Exim, too', async () => {
    expect((await submit('alice', 'alicepw', 'by alice')).code).toBe(0)
    await arrivedAt([dovecot], 'bob', 'by alice')
    expect(await exim.logged(/<= alice@test\.lan .* A=/)).toContain('A=plain:alice')
  })

  test('who is not known at Exim is not signed in, though the front door knows the password', async () => {
    const before = exim.log().length
    const done = await submit('ghost', 'ghostpw', 'by ghost')
    expect(done.stdout).toMatch(/<~\* (?:454|535) \d\.7\.\d /)
    expect(exim.log().slice(before)).not.toContain('<= ')
  })

  describe('Exim’s refusals are the client’s, in its words', () => {
    test('of a recipient', async () => {
      const done = await inbound('ghost@test.lan', 'x')
      expect(done.stdout).toMatch(/<\*\* 550 (?:5\.\d\.\d )?Unrouteable address/)
    })

    test('of a message, in two lines', async () => {
      const done = await inbound('alice@test.lan', 'refuse this')
      expect(done.stdout).toMatch(/<\*\* 550-(?:5\.\d\.\d )?Not this one\n<\*\* 550 (?:5\.\d\.\d )?Thank you/)
      await exim.settled()
      expect(await copiesOf([dovecot], 'alice', 'refuse this')).toEqual([])
    })
  })

  describe('an Exim as the client', () => {
    let front: Exim

    beforeAll(async () => {
      front = await startExim({ name: 'front', smtpPort: portico.ports.smtp, users: {} })
    })
    afterAll(() => front?.stop())

    test('sends in chunks (BDAT, RFC 3030), with commands in groups', async () => {
      const args = ['--server', '127.0.0.1', '--port', String(front.port), '--from', 'carol@example.org']
      const done = await run('swaks', [
        ...args,
        ...['--to', 'alice@test.lan', '--header', 'Subject: in chunks', '--body', '.dot first\n.\nlast line'],
      ])
      expect(done.code, done.stdout).toBe(0)
      const { text } = await arrivedAt([dovecot], 'alice', 'in chunks')
      expect(text).toContain('\n.dot first\n.\nlast line\n')
      // Its log says so with a K.
      expect(await front.logged(/=> alice@test\.lan/)).toMatch(/ K /)
    })
  })
})
