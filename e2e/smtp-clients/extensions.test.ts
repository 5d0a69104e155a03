// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Dovecot,
  type Postfix,
  privateFolder,
  startDovecot,
  startPostfix,
  testCertificates,
} from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrivedAt } from '../lib/arrival.js'
import { python, run, settingsFile, succeed } from '../lib/clients.js'
import { LineClient } from '../lib/line-client.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

const needs = { programs: ['dovecot', 'postfix', 'swaks', 'msmtp', 'python3', 'openssl'], root: true }
/** From this address a client may say for whom it speaks. */
const PROXY = '127.0.0.66'

/** The first Postfix has everything and delivers to a Dovecot; the second has no SMTPUTF8, no DSN and no XCLIENT. */
scenario('what clients ask for beside the message, in front of two Postfixes', needs, () => {
  let dovecot: Dovecot
  let able: Postfix
  let poor: Postfix
  /** A Maildir with all that the first one delivers for other than ASCII addresses: Dovecot takes no such. */
  let international: string
  let portico: Portico<'submission' | 'inbound' | 'able' | 'poor'>
  const ca = (): string => testCertificates().ca.certificateFile

  beforeAll(async () => {
    dovecot = await startDovecot({ users: { alice: 'alicepw', bob: 'bobpw' } })
    international = maildirs()
    const { lmtp: lmtpPort, sasl: saslPort } = dovecot.ports
    ;[able, poor] = await Promise.all([
      startPostfix({ name: 'able', lmtpPort, saslPort, extra: deliveringTo(international) }),
      startPostfix({ name: 'poor', lmtpPort, withoutExtensions: ['SMTPUTF8', 'DSN'], clientFacts: 'xforward' }),
    ])
    const group = (port: number) => ({ identity: 'xclient', smtp: { endpoints: [`127.0.0.1:${port}`] } })
    const domains = ['test.lan']
    portico = await startPortico({
      listeners: {
        submission: { protocol: 'smtp', tls: 'starttls', connector: 'client' },
        inbound: { protocol: 'smtp', tls: 'none', connector: 'inbound' },
        able: { protocol: 'smtp', tls: 'none', connector: 'able' },
        poor: { protocol: 'smtp', tls: 'none', connector: 'poor' },
      },
      users: ['alice:{PLAIN}alicepw::::::group=able', 'bob:{PLAIN}bobpw::::::group=poor', 'jörg:::::::group=able'],
      backends: { able: group(able.port), poor: group(poor.port) },
      more: {
        networks: { proxies: [`${PROXY}/32`] },
        smtp: {
          connectors: {
            client: { group: 'able' },
            inbound: { domains },
            able: { domains, group: 'able' },
            poor: { domains, group: 'poor' },
          },
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all([able, poor, dovecot].map((server) => server?.stop()))
  })

  test('only what every backend has that may get the message is offered', async () => {
    const offers = await python(
      `
import smtplib, sys
for port in sys.argv[1:]:
  smtp = smtplib.SMTP('127.0.0.1', int(port))
  smtp.ehlo()
  print(*sorted(smtp.esmtp_features))
  smtp.quit()
`,
      portico.ports.able,
      portico.ports.poor,
      portico.ports.inbound,
    )
    const [atAble = '', atPoor = '', atBoth = ''] = offers.split('\n')
    expect(atAble).toMatch(/8bitmime .*dsn .*smtputf8/)
    expect(atPoor).toContain('8bitmime')
    expect(atPoor).not.toMatch(/dsn|smtputf8/)
    expect(atBoth).toBe(atPoor)
  })

  test('smtplib: eight bits come as they were sent (8BITMIME)', async () => {
    const said = await python(
      `
import smtplib, sys
smtp = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))
text = b'Subject: eight bits\\r\\n\\r\\n' + bytes(range(128, 256)) + b'\\r\\n'
print(smtp.sendmail('carol@example.org', ['bob@test.lan'], text, mail_options=['BODY=8BITMIME']))
smtp.quit()
`,
      portico.ports.poor,
    )
    expect(said).toBe('{}\n')
    await arrivedAt([dovecot], 'bob', 'eight bits')
    const folder = join(dovecot.folder, 'mail/bob/Maildir/new')
    const octets = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))))
    expect(octets.includes(Buffer.from(Array.from({ length: 128 }, (_, index) => index + 128)))).toBe(true)
  })

  describe('smtplib: addresses and headers in UTF-8 (SMTPUTF8, RFC 6531)', () => {
    const send = (port: number) =>
      python(
        `
import smtplib, sys
smtp = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))
text = 'Subject: gr\\u00fc\\u00dfe\\r\\n\\r\\nhallo\\r\\n'.encode()
try:
  print(smtp.sendmail('zo\\u00eb@example.org', ['j\\u00f6rg@test.lan'], text, mail_options=['SMTPUTF8', 'BODY=8BITMIME']))
except smtplib.SMTPException as error:
  print(type(error).__name__)
`,
        port,
      )

    test('come to a backend that takes them', async () => {
      expect(await send(portico.ports.able)).toBe('{}\n')
      await eventually(() => expect(filesIn(international)).toContain('\nSubject: grüße\n'))
      expect(filesIn(international)).toMatch(/^Return-Path: <zoë@example\.org>$/m)
    })

    test('are not taken where the backend would not', async () => {
      expect(await send(portico.ports.poor)).toBe('SMTPNotSupportedError\n')
    })
  })

  test('msmtp asks to be told of the delivery, and is (DSN, RFC 3461)', async () => {
    const rc = settingsFile(
      'msmtprc',
      `account default
host localhost
port ${portico.ports.submission}
tls on
tls_starttls on
tls_trust_file ${ca()}
auth on
user alice
password alicepw
from alice@test.lan
`,
    )
    const args = ['-C', rc.file, '--dsn-notify=success', '--dsn-return=hdrs', 'bob@test.lan']
    await succeed('msmtp', args, { input: 'Subject: tell me\r\n\r\nhello\r\n' })
    const { text } = await arrivedAt([dovecot], 'alice', 'Successful Mail Delivery Report')
    expect(text).toMatch(/^Final-Recipient: rfc822; bob@test\.lan$/m)
    expect(text).toMatch(/^Action: (?:delivered|relayed)$/m)
  })

  describe('swaks says for whom it speaks (XCLIENT)', () => {
    const send = (from: string, subject: string) =>
      run('swaks', [
        ...['--server', '127.0.0.1', '--port', String(portico.ports.able), '--local-interface', from],
        ...['--xclient', 'ADDR=198.51.100.3', '--helo', 'client.example', '--from', 'carol@example.org'],
        ...['--to', 'alice@test.lan', '--header', `Subject: ${subject}`],
      ])

    test('and is believed where it is one of the site’s proxies', async () => {
      const done = await send(PROXY, 'from a proxy')
      expect(done.code, done.stdout).toBe(0)
      const { text } = await arrivedAt([dovecot], 'alice', 'from a proxy')
      expect(text).toMatch(/^Received: from client\.example \(.*\[198\.51\.100\.3\]\)/m)
      expect(await able.logged(/client=.*\[198\.51\.100\.3\]/)).toContain('smtpd')
    })

    test('and is not from elsewhere, where it is not even offered', async () => {
      const done = await send('127.0.0.1', 'from anybody')
      expect(done.stderr).toContain('Host did not advertise XCLIENT')
      const client = await LineClient.connect(portico.ports.able)
      await client.until(/^220 .*\r\n/)
      await client.ask('EHLO client.example', /^250 .*\r\n/m)
      expect(await client.ask('XCLIENT ADDR=198.51.100.3', /^\d{3} .*\r\n/)).toMatch(/^5\d\d 5\./)
      client.destroy()
    })
  })

  describe('a backend that takes XFORWARD only', () => {
    const send = (subject: string, from: string) =>
      succeed('swaks', [
        ...['--server', '127.0.0.1', '--port', String(portico.ports.poor), '--local-interface', from],
        ...['--from', 'carol@example.org', '--to', 'bob@test.lan', '--header', `Subject: ${subject}`],
      ])

    test('is told of each client, on connections that serve one after the other', async () => {
      const before = connectionsIn(poor)
      const clients = [71, 72, 73, 74, 75, 76]
      for (const last of clients) {
        await send(`from ${last}`, `127.0.0.${last}`)
        expect(await poor.logged(new RegExp(`orig_client=.*\\[127\\.0\\.0\\.${last}\\]`))).toContain('smtpd')
      }
      // Each worker has its own; and where one is not reset yet when the next client comes, there is one more.
      expect(connectionsIn(poor) - before).toBeLessThan(clients.length)
    })
  })
})

const connectionsIn = (postfix: Postfix): number => postfix.log().match(/smtpd\[\d+\]: connect from /g)?.length ?? 0

/** A folder that Postfix’s own delivery agent may write to. */
function maildirs(): string {
  const folder = privateFolder('vir')
  mkdirSync(join(folder, 'all'))
  execFileSync('chown', ['-R', 'mail:mail', folder])
  return folder
}

/** All mail for users whose names are not ASCII goes to one Maildir there. */
function deliveringTo(folder: string): string {
  const id = (option: string): string => execFileSync('id', [option, 'mail'], { encoding: 'utf8' }).trim()
  return `
virtual_mailbox_base = ${folder}
virtual_uid_maps = static:${id('-u')}
virtual_gid_maps = static:${id('-g')}
virtual_minimum_uid = 1
transport_maps = regexp:{{/[^ -~]/ virtual:}}
virtual_mailbox_maps = regexp:{{/./ all/}}`
}

/** All messages of a Maildir below the folder. */
function filesIn(folder: string): string {
  const path = join(folder, 'all/new')
  try {
    return readdirSync(path)
      .map((name) => readFileSync(join(path, name), 'utf8'))
      .join('\n')
  } catch {
    return ''
  }
}
