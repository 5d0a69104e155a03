// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CYRUS_PROGRAMS, type Cyrus, startCyrus, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { python, run } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

const needs = { programs: [...CYRUS_PROGRAMS, 'curl', 'python3', 'openssl'], root: true }

/** alice brings her own password to Cyrus; bob's is unknown there, and a proxy user acts for him (RFC 4616). */
scenario('IMAP4 and POP3 in front of a Cyrus', needs, () => {
  let cyrus: Cyrus
  let portico: Portico<'imap' | 'imaps' | 'pop3' | 'pop3s'>
  const ca = (): string => testCertificates().ca.certificateFile

  beforeAll(async () => {
    cyrus = await startCyrus({
      users: { alice: 'alicepw', bob: 'not the one the front door knows' },
      proxies: { portico: 'masterpw' },
    })
    for (const user of ['alice', 'bob']) {
      await cyrus.deliver(
        user,
        `From: carol@test.lan\r\nTo: ${user}@test.lan\r\nSubject: for ${user}\r\n\r\n.lunch?\r\n`,
      )
    }
    const secret = join(cyrus.folder, 'proxy-secret')
    writeFileSync(secret, 'masterpw\n', { mode: 0o600 })
    const group = (identity: unknown, imap4: number, pop3: number, mode: string): unknown => {
      const tls = { mode, ca: ca(), servername: 'localhost' }
      return {
        identity,
        imap4: { endpoints: [`127.0.0.1:${imap4}`], tls },
        pop3: { endpoints: [`127.0.0.1:${pop3}`], tls },
      }
    }
    const master = { user: 'portico', secret: { file: secret } }
    const { imap, imaps, pop3, pop3s } = cyrus.ports
    portico = await startPortico({
      listeners: {
        imap: { protocol: 'imap4', tls: 'starttls' },
        imaps: { protocol: 'imap4', tls: 'implicit' },
        pop3: { protocol: 'pop3', tls: 'starttls' },
        pop3s: { protocol: 'pop3', tls: 'implicit' },
      },
      users: ['alice:{PLAIN}alicepw::::::group=replayed', 'bob:{PLAIN}bobpw::::::group=proxied'],
      backends: {
        replayed: group('password', imap, pop3, 'starttls'),
        proxied: group({ master }, imaps, pop3s, 'implicit'),
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await cyrus?.stop()
  })

  const curl = (scheme: 'imap' | 'imaps' | 'pop3' | 'pop3s', user: string) => {
    const path = scheme.startsWith('imap') ? 'INBOX/;MAILINDEX=1' : '1'
    const url = `${scheme}://127.0.0.1:${portico.ports[scheme]}/${path}`
    return run('curl', ['-sS', '--ssl-reqd', '--cacert', ca(), url, '-u', user])
  }

  describe.each(['imap', 'imaps', 'pop3', 'pop3s'] as const)('curl, %s', (scheme) => {
    test.each([
      ['by the own password', 'alice'],
      ['through the proxy user', 'bob'],
    ])('%s: %s reads the own message', async (_label, user) => {
      const done = await curl(scheme, `${user}:${user}pw`)
      expect(done.stderr).toBe('')
      expect(done.stdout).toContain(`Subject: for ${user}`)
      expect(done.stdout).toContain('\r\n.lunch?')
    })

    test('a wrong password is told as one', async () => {
      expect((await curl(scheme, 'bob:guess')).code).toBe(67)
    })
  })

  test('IMAP4: after sign-in the capabilities are those that Cyrus itself tells this user (RFC 9051 section 6.1.1)', async () => {
    const said = await python(
      CAPABILITIES,
      ca(),
      ...[portico.ports.imaps, 'alice', 'alice', 'alicepw'],
      ...[cyrus.ports.imaps, 'alice', 'alice', 'alicepw'],
      ...[portico.ports.imaps, 'bob', 'bob', 'bobpw'],
      ...[cyrus.ports.imaps, 'bob', 'portico', 'masterpw'],
    )
    const [alice, aliceAtCyrus, bob, bobAtCyrus] = said.trim().split('\n')
    expect(alice).toBe(aliceAtCyrus)
    expect(bob).toBe(bobAtCyrus)
    expect(alice).toContain('CONDSTORE')
    expect(alice).not.toContain('STARTTLS')
  })

  test('IMAP4: a message is appended, flagged, searched and fetched again, octet for octet', async () => {
    expect((await python(CONVERSATION, ca(), portico.ports.imaps)).split('\n')).toEqual([
      "OK ['INBOX', 'Drafts', 'Sent', 'Trash']",
      'OK same',
      'OK 2',
      'BYE',
      '',
    ])
  })

  test('POP3: after sign-in the capabilities are those of Cyrus (RFC 2449)', async () => {
    const said = await python(POP3_CAPABILITIES, ca(), portico.ports.pop3s, cyrus.ports.pop3s)
    const [atPortico, atCyrus] = said.trim().split('\n')
    expect(atPortico).toBe(atCyrus)
    expect(atPortico).toContain('UIDL')
  })
})

/** For each port, user, proxy and password: what the OK of the sign-in tells, and then CAPABILITY. */
const CAPABILITIES = `
import base64, re, socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
rest = sys.argv[2:]
while rest:
    port, user, who, password = rest[:4]; rest = rest[4:]
    box = context.wrap_socket(socket.create_connection(('127.0.0.1', int(port))), server_hostname='localhost')
    lines = box.makefile('rb')
    lines.readline()
    authzid = user if user != who else ''
    token = base64.b64encode(('%s\\0%s\\0%s' % (authzid, who, password)).encode()).decode()
    box.sendall(('a AUTHENTICATE PLAIN %s\\r\\n' % token).encode())
    told = ''
    while not told.startswith('a '):
        told = lines.readline().decode()
    box.sendall(b'b CAPABILITY\\r\\n')
    asked = lines.readline().decode()
    told = re.search(r'CAPABILITY ([^]]*)', told).group(1).split()
    asked = asked[len('* CAPABILITY '):].split()
    # Cyrus names its own session there.
    print(*[' '.join(sorted(c for c in list if not c.startswith('SESSIONID='))) for list in (told, asked)], sep=' | ')
`

const CONVERSATION = `
import imaplib, ssl, sys
box = imaplib.IMAP4_SSL('localhost', int(sys.argv[2]), ssl_context=ssl.create_default_context(cafile=sys.argv[1]))
box.login('bob', 'bobpw')
kind, folders = box.list()
print(kind, sorted((f.decode().split()[-1].strip('"') for f in folders), key=lambda n: (n != 'INBOX', n)))
big = b'Subject: big\\r\\n\\r\\n' + b'x' * 70 + b'\\r\\n' + (b'y' * 70 + b'\\r\\n') * 4000
box.append('INBOX', '(\\\\Flagged)', None, big)
box.select('INBOX')
kind, found = box.search(None, 'FLAGGED')
print(kind, 'same' if box.fetch(found[0], '(RFC822)')[1][0][1] == big else 'different')
print(kind, found[0].decode())
print(box.logout()[0])
`

const POP3_CAPABILITIES = `
import base64, poplib, ssl, sys
token = base64.b64encode(b'\\0alice\\0alicepw').decode()
for port in sys.argv[2:]:
    box = poplib.POP3_SSL('localhost', int(port), context=ssl.create_default_context(cafile=sys.argv[1]))
    # By AUTH in both places: after USER and PASS Cyrus goes on to list SASL.
    box._shortcmd('AUTH PLAIN ' + token)
    print(sorted((k, *v) for k, v in box.capa().items()))
    box.quit()
`
