// SPDX-License-Identifier: MIT
import { type Dovecot, type Postfix, startDovecot, startPostfix, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrivedAt, copiesOf } from '../lib/arrival.js'
import { certificateOfAlice, SENDERS } from '../lib/mail-senders.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

const needs = {
  programs: ['dovecot', 'postfix', 'swaks', 'msmtp', 'curl', 'neomutt', 's-nail', 'python3', 'openssl'],
  root: true,
}
const MECHANISMS = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'EXTERNAL']

scenario('mail programs that send, in front of a Postfix', needs, () => {
  let dovecot: Dovecot
  let postfix: Postfix
  let portico: Portico<'submission' | 'submissions' | 'smtp'>

  beforeAll(async () => {
    const ca = testCertificates().ca.certificateFile
    dovecot = await startDovecot({ users: { alice: 'alicepw', bob: 'bobpw' } })
    const { lmtp, sasl } = dovecot.ports
    postfix = await startPostfix({ lmtpPort: lmtp, saslPort: sasl })
    portico = await startPortico({
      listeners: {
        submission: { protocol: 'smtp', tls: 'starttls', connector: 'client', clientCertificates: ca },
        submissions: { protocol: 'smtp', tls: 'implicit', connector: 'client', clientCertificates: ca },
        smtp: { protocol: 'smtp', tls: 'starttls', connector: 'inbound' },
      },
      users: [
        `alice:{PLAIN}alicepw::::::group=mbx certificate=${certificateOfAlice()}`,
        'bob:{PLAIN}bobpw::::::group=mbx',
      ],
      backends: {
        mbx: {
          identity: 'xclient',
          smtp: {
            endpoints: [`127.0.0.1:${postfix.port}`],
            tls: { mode: 'starttls', ca, servername: 'localhost' },
          },
        },
      },
      more: {
        auth: { mechanisms: MECHANISMS },
        smtp: { connectors: { inbound: { domains: ['test.lan'] } } },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await postfix?.stop()
    await dovecot?.stop()
  })

  describe.each(SENDERS)('$program', ({ program, mechanisms, send }) => {
    const way = (implicitTls: boolean) => ({
      port: portico.ports[implicitTls ? 'submissions' : 'submission'],
      implicitTls,
      user: 'alice',
      password: 'alicepw',
    })
    const ways = mechanisms.map((mechanism, index) => [mechanism, index % 2 === 1] as const)

    test.each([...ways, ['PLAIN', true] as const])(
      'signs in by %s (TLS from the first octet: %s)',
      async (mechanism, implicitTls) => {
        const subject = `${program} ${mechanism} ${implicitTls}`
        const done = await send({ ...way(implicitTls), mechanism, subject })
        expect(done.code, done.stdout + done.stderr).toBe(0)
        const { text } = await arrivedAt([dovecot], 'alice', subject)
        expect(text).toContain('\n.dot first\n')
      },
    )

    test('a wrong password: it knows that nothing was sent', async () => {
      const sending = { ...way(false), password: 'guess', mechanism: 'PLAIN', subject: `${program} wrong` }
      const code = await send(sending).then(
        (done) => done.code,
        () => 'threw',
      )
      expect(code).not.toBe(0)
      expect(await copiesOf([dovecot], 'alice', `${program} wrong`)).toEqual([])
    })
  })

  test('Postfix heard of alice each time', async () => {
    expect(await postfix.logged(/sasl_username=/)).toContain('sasl_username=alice')
  })
})
