// SPDX-License-Identifier: MIT
import { type Dovecot, freePorts, type Postfix, startDovecot, startPostfix } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LineClient } from '../lib/line-client.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

const USERS = ['alice:{PLAIN}alicepw::::::group=v1', 'bob:{PLAIN}bobpw::::::group=v2']

/** Each client has an address of its own, which nothing but the header can tell the backend. */
const CLIENTS = [
  ['version 1', 'alice', 'alicepw', '127.0.0.21'],
  ['version 2', 'bob', 'bobpw', '127.0.0.22'],
] as const

const haproxy = (service: string, port: number): string => `
service ${service}-login {
  inet_listener ${service}_haproxy {
    port = ${port}
    haproxy = yes
  }
}
`

scenario('servers that are told the client by a PROXY header', { programs: ['dovecot', 'postfix'], root: true }, () => {
  let dovecot: Dovecot
  let postfix: Postfix
  let portico: Portico<'imap4' | 'pop3' | 'smtp'>

  beforeAll(async () => {
    const [imap = 0, pop3 = 0] = await freePorts(2)
    dovecot = await startDovecot({
      users: { alice: 'alicepw', bob: 'bobpw' },
      extra: `haproxy_trusted_networks = 127.0.0.0/8\n${haproxy('imap', imap)}${haproxy('pop3', pop3)}`,
    })
    postfix = await startPostfix({
      lmtpPort: dovecot.ports.lmtp,
      saslPort: dovecot.ports.sasl,
      extra: 'smtpd_upstream_proxy_protocol = haproxy',
    })
    const group = (proxyProtocol: string) => ({
      identity: 'password',
      proxyProtocol,
      imap4: { endpoints: [`127.0.0.1:${imap}`] },
      pop3: { endpoints: [`127.0.0.1:${pop3}`] },
      smtp: { endpoints: [`127.0.0.1:${postfix.port}`] },
    })
    const open = { tls: 'none', plaintextPasswords: 'loopback' } as const
    portico = await startPortico({
      listeners: {
        imap4: { protocol: 'imap4', ...open },
        pop3: { protocol: 'pop3', ...open },
        smtp: { protocol: 'smtp', ...open, connector: 'client' },
      },
      users: USERS,
      backends: { v1: group('v1'), v2: group('v2') },
      // Nothing but the header is to tell who the client is.
      more: { imap4: { forwardClientFacts: false }, pop3: { forwardClientFacts: false } },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await postfix?.stop()
    await dovecot?.stop()
  })

  test.each(CLIENTS)('%s: Dovecot logs the address of an IMAP4 client', async (_version, user, password, from) => {
    const client = await LineClient.connect(portico.ports.imap4, from)
    await client.until(/\r\n/)
    expect(await client.ask(`a1 LOGIN ${user} ${password}`, /^a1 .*\r\n/m)).toMatch(/^a1 OK/m)
    await dovecot.logged(new RegExp(`imap-login: Info: Login: user=<${user}>.* rip=${from.replaceAll('.', '\\.')},`))
    client.destroy()
  })

  test.each(CLIENTS)('%s: Dovecot logs the address of a POP3 client', async (_version, user, password, from) => {
    const client = await LineClient.connect(portico.ports.pop3, from)
    await client.until(/\r\n/)
    await client.ask(`USER ${user}`, /\r\n/)
    expect(await client.ask(`PASS ${password}`, /\r\n/)).toMatch(/^\+OK/)
    await dovecot.logged(new RegExp(`pop3-login: Info: Login: user=<${user}>.* rip=${from.replaceAll('.', '\\.')},`))
    client.destroy()
  })

  test.each(CLIENTS)('%s: Postfix logs the address of an SMTP client', async (_version, user, password, from) => {
    const client = await LineClient.connect(portico.ports.smtp, from)
    await client.until(/\r\n/)
    await client.ask('EHLO client.test.lan', /^250 .*\r\n/m)
    const token = Buffer.from(`\0${user}\0${password}`).toString('base64')
    expect(await client.ask(`AUTH PLAIN ${token}`, /\r\n/)).toMatch(/^235 /)
    await postfix.logged(new RegExp(`smtpd\\[\\d+\\]: connect from [^[]*\\[${from.replaceAll('.', '\\.')}\\]`))
    client.destroy()
  })
})
