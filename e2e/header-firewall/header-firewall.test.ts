// SPDX-License-Identifier: MIT
import { type Dovecot, type Postfix, startDovecot, startPostfix, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrivedAt } from '../lib/arrival.js'
import { python } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

type Kind = 'routing' | 'organization' | 'forest' | 'own' | 'results'

/** Fields as they are sent, and what a firewall may take them for. */
const FIELDS: readonly (readonly [field: string, kind?: Kind])[] = [
  ['X-MS-Exchange-Organization-SCL: -1', 'organization'],
  ['Received: from a.example by b.example; Mon, 1 Jan 2024 00:00:00 +0000', 'routing'],
  ['RECEIVED :\r\n\tfrom c.example\r\n\tby a.example; Mon, 1 Jan 2024 00:00:00 +0000', 'routing'],
  // Postfix adds what one of these lacks.
  ['resent-FROM: d@example.org', 'routing'],
  ['Resent-Date:\r\n Mon, 1 Jan 2024 00:00:00 +0000', 'routing'],
  ['Resent-Message-ID : <2@example.org>', 'routing'],
  ['Received-SPF: pass'],
  ['From: carol@example.org'],
  ['x-MS-EXCHANGE-organization-AuthAs\t:\r\n Internal', 'organization'],
  ['To:  alice@test.lan,\r\n\t bob@test.lan \t '],
  ['Date: Mon, 1 Jan 2024 00:00:00 +0000'],
  ['x-ms-exchange-FOREST-RulesExecuted:\r\n\tone\r\n two', 'forest'],
  ['X-MS-Exchange-Organization: no prefix of theirs'],
  ['mESSAGE-id: <1@example.org>'],
  ['AUTHENTICATION-results: (a comment\r\n (in two lines)) "portico.test.lan" 1; dkim=pass', 'results'],
  ['Authentication-Results: Portico.TEST.lan.; spf=pass', 'results'],
  ['authentication-RESULTS: other.example; dkim=pass (portico.test.lan)'],
  ['X-PORTICO-Early-Talker: no', 'own'],
  ['DKIM-Signature: v=1; h=from:to;\r\n\tb=YWJj\r\n\t ZGVm'],
  ['X-MS-Exchange-Organization-Last:\r\n\t\r\n', 'organization'],
]
const BODY = [
  '.one dot first',
  '..two',
  '.',
  'X-MS-Exchange-Organization-SCL: what is in the body stays',
  ' \t white space around \t ',
  'y'.repeat(900),
  Buffer.from(Array.from({ length: 128 }, (_, at) => at + 128)).toString('latin1'),
  '',
  '',
].join('\r\n')
const STRANGER: readonly Kind[] = ['organization', 'forest', 'own', 'results']

/** One character for each octet. */
function messageWithout(subject: string, ...gone: readonly Kind[]): string {
  const fields = FIELDS.filter(([, kind]) => kind === undefined || !gone.includes(kind))
  const lines = [`Subject: ${subject}`, ...fields.map(([field]) => field.replace(/\r\n$/, ''))]
  return `${lines.join('\r\n')}\r\n\r\n${BODY}`
}

/** By DATA, or in chunks of so many octets, which come all at once. */
const SENDING = `
import smtplib, ssl, sys
port, user, octets, chunk, ca = sys.argv[1:6]
message, chunk = bytes.fromhex(octets), int(chunk)
smtp = smtplib.SMTP('127.0.0.1', int(port), 'client.example')
smtp.ehlo()
if ca:
  smtp.starttls(context=ssl.create_default_context(cafile=ca))
  smtp.ehlo()
  smtp.login('alice', 'alicepw')
print(smtp.mail('carol@example.org', ['BODY=8BITMIME'])[0], smtp.rcpt(user + '@test.lan')[0], end=' ')
if chunk == 0:
  print(smtp.data(message)[0])
else:
  chunks = [message[at:at + chunk] for at in range(0, len(message), chunk)]
  smtp.send(b''.join(b'BDAT %d\\r\\n%s' % (len(one), one) for one in chunks) + b'BDAT 0 LAST\\r\\n')
  print(*sorted({smtp.getreply()[0] for one in [*chunks, b'']}))
smtp.quit()
`
/** What is stored, octet by octet. */
const FETCHING = `
import imaplib, sys
imap = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]))
imap.login(sys.argv[2], sys.argv[2] + 'pw')
imap.select(readonly=True)
found = imap.search(None, 'HEADER', 'Subject', '"%s"' % sys.argv[3])[1][0].split()
print(imap.fetch(found[0], '(BODY.PEEK[])')[1][0][1].hex() if len(found) == 1 else found)
imap.logout()
`

scenario('what is taken out of header sections', { programs: ['dovecot', 'postfix', 'python3'], root: true }, () => {
  let dovecots: readonly [Dovecot, Dovecot]
  let postfix: Postfix
  let portico: Portico<'stranger' | 'blind' | 'ours' | 'users'>
  const ca = (): string => testCertificates().ca.certificateFile

  beforeAll(async () => {
    dovecots = await Promise.all([
      startDovecot({ name: 'mbx1', users: { alice: 'alicepw' } }),
      startDovecot({ name: 'mbx2', users: { bob: 'bobpw' } }),
    ])
    const [inside, outside] = dovecots
    postfix = await startPostfix({ name: 'mta1', lmtpPort: inside.ports.lmtp, recipients: ['alice@test.lan'] })
    const tls = { mode: 'none' }
    const lmtp = ({ ports }: Dovecot) => ({ endpoints: [`127.0.0.1:${ports.lmtp}`], tls })
    const to = (connector: string, mode: 'none' | 'starttls' = 'none') =>
      ({ protocol: 'smtp', tls: mode, connector }) as const
    const allowing = (...anonymous: readonly string[]) => ({
      domains: ['test.lan'],
      permissions: { anonymous: ['submit', 'any-sender', ...anonymous] },
    })
    portico = await startPortico({
      listeners: { stranger: to('inbound'), blind: to('blind'), ours: to('ours'), users: to('client', 'starttls') },
      users: ['alice:{PLAIN}alicepw::::::group=inside', 'bob:{PLAIN}bobpw::::::group=outside'],
      backends: {
        inside: {
          identity: 'xclient',
          lmtp: lmtp(inside),
          smtp: {
            endpoints: [`127.0.0.1:${postfix.port}`],
            tls: { mode: 'starttls', ca: ca(), servername: 'localhost' },
          },
        },
        outside: { lmtp: lmtp(outside) },
      },
      more: {
        smtp: {
          untrustedGroups: ['outside'],
          connectors: {
            inbound: { domains: ['test.lan'] },
            blind: allowing(),
            ours: allowing('routing-headers', 'organization-headers', 'forest-headers'),
            client: { authenticationResults: true },
          },
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all([postfix, ...(dovecots ?? [])].map((server) => server?.stop()))
  })

  const send = (port: number, user: string, message: string, chunk: number, authority = '') =>
    python(SENDING, port, user, Buffer.from(message, 'latin1').toString('hex'), chunk, authority)
  const stored = async ({ ports }: Dovecot, user: string, subject: string): Promise<string> =>
    Buffer.from((await python(FETCHING, ports.imap, user, subject)).trim(), 'hex').toString('latin1')
  /** What Portico and the servers behind have put in front of a message that ends as it should. */
  const before = (text: string, message: string): string => {
    expect(text.slice(-message.length)).toBe(message)
    return text.slice(0, -message.length)
  }

  describe.each([
    ['DATA', 0],
    ['BDAT in one chunk', 1_000_000],
    ['BDAT in small chunks', 61],
  ])('by %s', (way, chunk) => {
    test.each<[string, 'stranger' | 'blind' | 'ours', 'alice' | 'bob', readonly Kind[]]>([
      ['a stranger', 'stranger', 'alice', STRANGER],
      ['one who may not even say where it has been', 'blind', 'alice', [...STRANGER, 'routing']],
      ['a server of the organization', 'ours', 'alice', []],
      ['a server of the organization, to a group outside', 'ours', 'bob', ['organization', 'forest', 'own']],
    ])('from %s: what is left, and the body, is as it was to the octet', async (_who, listener, user, gone) => {
      const subject = `${listener} ${user} ${way}`
      expect(await send(portico.ports[listener], user, messageWithout(subject), chunk)).toBe('250 250 250\n')
      const text = await stored(dovecots[user === 'alice' ? 0 : 1], user, subject)
      expect(before(text, messageWithout(subject, ...gone))).toMatch(
        new RegExp(
          `^Return-Path: .*\\r\\nDelivered-To: .*\\r\\nReceived: from .*(?:\\r\\n\\t.*)*\\r\\nReceived: from client\\.example \\(\\[127\\.0\\.0\\.1\\]\\)` +
            `\\r\\n\\tby portico\\.test\\.lan with ESMTP id \\S+\\r\\n\\tfor <${user}@test\\.lan>;\\r\\n\\t.* \\+0000\\r\\n$`,
        ),
      )
    })
  })

  test('from a user, by way of an MTA: above Received stands who has signed in, and forged results are gone', async () => {
    const message = messageWithout('signed in')
    expect(await send(portico.ports.users, 'alice', message, 0, ca())).toBe('250 250 250\n')
    await arrivedAt([dovecots[0]], 'alice', 'signed in')
    const text = await stored(dovecots[0], 'alice', 'signed in')
    // Postfix takes out the white space before colons.
    const left = messageWithout('signed in', ...STRANGER).replace(/^([\w-]+)[ \t]+:/gm, '$1:')
    expect(before(text, left)).toMatch(
      /\r\nAuthentication-Results: portico\.test\.lan;\r\n\tauth=pass smtp\.auth=alice\r\nReceived: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby portico\.test\.lan with ESMTPSA id \S+\r\n\tfor <alice@test\.lan>\r\n\ttls TLS_[A-Z0-9_]+;\r\n\t.* \+0000\r\n$/,
    )
  })
})
