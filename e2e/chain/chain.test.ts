// SPDX-License-Identifier: MIT
import { testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { python, run } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'
import { backendsOf, startTwoDovecots, type TwoDovecots, USERS } from '../lib/two-dovecots.js'

type Doors = Portico<'imaps' | 'pop3s'>

const LISTENERS = {
  imaps: { protocol: 'imap4', tls: 'implicit' },
  pop3s: { protocol: 'pop3', tls: 'implicit' },
} as const

scenario('a Portico behind a Portico, in front of two Dovecots', { programs: ['dovecot', 'curl'], root: true }, () => {
  let dovecots: TwoDovecots
  let inner: Doors
  let outer: Doors
  const ca = (): string => testCertificates().ca.certificateFile

  beforeAll(async () => {
    dovecots = await startTwoDovecots()
    const [imap4, pop3] = [backendsOf(dovecots, 'imap4'), backendsOf(dovecots, 'pop3')] as Record<string, object>[]
    inner = await startPortico({
      listeners: LISTENERS,
      users: USERS,
      backends: { mbx1: { ...imap4?.['mbx1'], ...pop3?.['mbx1'] }, mbx2: { ...imap4?.['mbx2'], ...pop3?.['mbx2'] } },
      // The outer one connects from here; the clients below do not.
      more: { networks: { proxies: ['127.0.0.1/32'], outside: ['127.0.0.64/26'] } },
    })
    const tls = { mode: 'implicit', ca: ca(), servername: 'localhost' }
    outer = await startPortico({
      listeners: LISTENERS,
      users: USERS.map((line) => line.replace(/group=.*/, 'group=inner')),
      backends: {
        inner: {
          imap4: { endpoints: [`127.0.0.1:${inner.ports.imaps}`], tls },
          pop3: { endpoints: [`127.0.0.1:${inner.ports.pop3s}`], tls },
        },
      },
    })
  })
  afterAll(async () => {
    await outer?.stop()
    await inner?.stop()
    await dovecots?.[Symbol.asyncDispose]()
  })

  test.each([
    ['imaps', 'INBOX;MAILINDEX=1', 'alice', '127.0.0.81'],
    ['imaps', 'INBOX;MAILINDEX=1', 'bob', '127.0.0.82'],
    ['pop3s', '1', 'alice', '127.0.0.83'],
    ['pop3s', '1', 'bob', '127.0.0.84'],
  ] as const)(
    '%s: both of them and the backend see the client’s own address (ID, XCLIENT)',
    async (scheme, path, user, at) => {
      const url = `${scheme}://127.0.0.1:${outer.ports[scheme]}/${path}`
      const done = await run('curl', ['-sS', '--cacert', ca(), url, '-u', `${user}:${user}pw`, '--interface', at])
      expect(done.stdout).toContain(`Subject: for ${user}`)
      const dovecot = user === 'alice' ? dovecots.first : dovecots.second
      const line = await dovecot.logged(new RegExp(`Login: .*rip=${at.replaceAll('.', '\\.')},`))
      await eventually(() => {
        const ended = inner.sessions().find((session) => session['client'] === at)
        expect(ended).toMatchObject({ user, networks: ['outside'] })
        expect(line).toContain(`session=<${ended?.['session']}>`)
      })
    },
  )

  test('a client that is no proxy cannot choose its address', async () => {
    const said = await python(
      `
import imaplib, poplib, ssl, sys
imaps, pop3s, ca = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=ca)
class Imap(imaplib.IMAP4_SSL):
    def _create_socket(self, timeout):
        import socket
        raw = socket.create_connection((self.host, self.port), source_address=('127.0.0.85', 0))
        return self.ssl_context.wrap_socket(raw, server_hostname='localhost')
imaplib.Commands['ID'] = ('NONAUTH', 'AUTH')
box = Imap('127.0.0.1', imaps, ssl_context=context)
print(box._simple_command('ID', '("name" "forger" "x-originating-ip" "203.0.113.9")')[0])
print(box.login('alice', 'alicepw')[0])
box.logout()
pop = poplib.POP3_SSL('localhost', pop3s, context=context)
try: print(pop._shortcmd('XCLIENT ADDR=203.0.113.9')[:3])
except poplib.error_proto as e: print(e.args[0][:4])
pop.quit()
`,
      inner.ports.imaps,
      outer.ports.pop3s,
      ca(),
    )
    expect(said.split('\n')).toEqual(['OK', 'OK', "b'-ERR'", ''])
    await dovecots.first.logged(/Login: .*rip=127\.0\.0\.85,/)
    expect(dovecots.first.log()).not.toContain('203.0.113.9')
  })
})
