// SPDX-License-Identifier: MIT
import { type Dovecot, type Postfix, startDovecot, startPostfix } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LineClient } from '../lib/line-client.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

const CLIENTS = 20
/** For each of our processes: one may still be in its RSET when the next client comes. */
const MOST = 2
const needs = { programs: ['dovecot', 'postfix'], root: true }

scenario('mail servers whose connections serve one client after another', needs, () => {
  let dovecot: Dovecot
  let postfix: Postfix
  let portico: Portico<'smtp'>

  beforeAll(async () => {
    dovecot = await startDovecot({ users: { alice: 'alicepw', bob: 'bobpw' } })
    postfix = await startPostfix({ lmtpPort: dovecot.ports.lmtp, clientFacts: 'xforward' })
    portico = await startPortico({
      listeners: { smtp: { protocol: 'smtp', tls: 'none', connector: 'inbound' } },
      users: ['alice:{PLAIN}alicepw::::::group=mta', 'bob:{PLAIN}bobpw::::::group=mbx'],
      backends: {
        mta: { identity: 'none', pool: { warm: 0 }, smtp: { endpoints: [`127.0.0.1:${postfix.port}`] } },
        mbx: { identity: 'none', pool: { warm: 0 }, lmtp: { endpoints: [`127.0.0.1:${dovecot.ports.lmtp}`] } },
      },
      more: { smtp: { connectors: { inbound: { domains: ['test.lan'] } } } },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await postfix?.stop()
    await dovecot?.stop()
  })

  /** Each client has an address and a connection of its own, and sends one message. */
  async function sendFromMany(recipient: string): Promise<void> {
    for (let number = 0; number < CLIENTS; number++) {
      const client = await LineClient.connect(portico.ports.smtp, addressOf(number))
      await client.until(/^220 /m)
      await client.ask(`EHLO pc${number}.example`, /^250 /m)
      await client.ask('MAIL FROM:<eve@far.example>', /^250 /m)
      expect(await client.ask(`RCPT TO:<${recipient}>`, /\r\n$/)).toMatch(/^250 /)
      await client.ask('DATA', /^354 /m)
      const message = [`Message-ID: <${recipient}.${number}>`, '', 'hello', '.'].join('\r\n')
      expect(await client.ask(message, /\r\n$/)).toMatch(/^250 /)
      await client.ask('QUIT', /^221 /m)
      client.destroy()
    }
  }

  test('Postfix, told by XFORWARD: a few connections are enough, and every client is named', async () => {
    // Whoever waited for its port has been seen, too.
    await postfix.logged(/disconnect from/)
    const before = connections(postfix)
    await sendFromMany('alice@test.lan')
    for (let number = 0; number < CLIENTS; number++)
      await postfix.logged(new RegExp(`orig_client=unknown\\[${addressOf(number).replaceAll('.', '\\.')}\\]`))
    expect(await dovecot.mailOf('alice', CLIENTS)).toHaveLength(CLIENTS)
    const used = connections(postfix) - before
    expect(used).toBeGreaterThan(0)
    expect(used).toBeLessThanOrEqual(MOST * portico.workers.length)
  })

  test("Dovecot's LMTP, told by XCLIENT: the same", async () => {
    await sendFromMany('bob@test.lan')
    expect(await dovecot.mailOf('bob', CLIENTS)).toHaveLength(CLIENTS)
    for (let number = 0; number < CLIENTS; number++)
      await dovecot.logged(new RegExp(`msgid=<bob@test\\.lan\\.${number}>: saved mail`))
    const saved = dovecot.log().match(/<[^<>]*>: .*msgid=<bob@test\.lan\.\d+>: saved mail to INBOX/g) ?? []
    expect(saved).toHaveLength(CLIENTS)
    // It numbers the transactions of a connection behind the session's id, from the second one on.
    const first = saved.filter((line) => !/:T\d+>: /.test(line))
    expect(first.length).toBeGreaterThan(0)
    expect(first.length).toBeLessThanOrEqual(MOST * portico.workers.length)
  })
})

function addressOf(number: number): string {
  return `127.0.0.${number + 2}`
}

/** Connections from us that Postfix has logged. */
function connections(postfix: Postfix): number {
  return postfix.log().match(/: connect from /g)?.length ?? 0
}
