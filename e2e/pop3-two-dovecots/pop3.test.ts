// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { python, run, settingsFile, succeed } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'
import { backendsOf, startTwoDovecots, type TwoDovecots, USERS } from '../lib/two-dovecots.js'

const needs = { programs: ['dovecot', 'curl', 'fetchmail', 'mpop', 'python3', 'openssl'], root: true }

scenario('POP3 in front of two Dovecots', needs, () => {
  let dovecots: TwoDovecots
  let portico: Portico<'pop3' | 'pop3s'>
  const ca = (): string => testCertificates().ca.certificateFile

  beforeAll(async () => {
    dovecots = await startTwoDovecots()
    portico = await startPortico({
      listeners: { pop3: { protocol: 'pop3', tls: 'starttls' }, pop3s: { protocol: 'pop3', tls: 'implicit' } },
      users: USERS,
      backends: backendsOf(dovecots, 'pop3'),
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await dovecots?.[Symbol.asyncDispose]()
  })

  const curl = (scheme: 'pop3' | 'pop3s', user: string, ...more: string[]) =>
    run('curl', [
      '-sS',
      '--ssl-reqd',
      '--cacert',
      ca(),
      `${scheme}://127.0.0.1:${portico.ports[scheme]}/1`,
      '-u',
      user,
      ...more,
    ])

  test.each([
    ['STLS', 'pop3', 'alice:alicepw', 'for alice'],
    ['STLS, master user', 'pop3', 'bob:bobpw', 'for bob'],
    ['TLS from the first octet', 'pop3s', 'alice:alicepw', 'for alice'],
    ['TLS from the first octet, master user', 'pop3s', 'bob:bobpw', 'for bob'],
  ] as const)('curl, %s: each user finds the own mailbox (%s, %s)', async (_label, scheme, user, subject) => {
    const done = await curl(scheme, user)
    expect(done.stderr).toBe('')
    expect(done.stdout).toContain(`Subject: ${subject}`)
  })

  test.each(['AUTH=PLAIN', 'AUTH=LOGIN', 'AUTH=+APOP'])(
    'curl with the login option %s is let in or told',
    async (option) => {
      const done = await curl('pop3s', 'alice:alicepw', '--login-options', option)
      // Without a timestamp in the greeting APOP is not on offer (RFC 1939 section 7).
      if (option === 'AUTH=+APOP') expect(done.code).not.toBe(0)
      else expect(done.stdout).toContain('Subject: for alice')
    },
  )

  test('Python poplib: STLS, USER and PASS, the lists, a message, and a wrong password', async () => {
    const said = await python(
      `
import poplib, ssl, sys
port, ca = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context(cafile=ca)
box = poplib.POP3('127.0.0.1', port)
box.stls(context)
box.user('bob'); print(box.pass_('bobpw')[:3])
print(box.stat()[0], len(box.uidl()[1]), b'Subject: for bob' in box.retr(1)[1])
print(box.quit()[:3])
box = poplib.POP3('127.0.0.1', port)
box.stls(context)
box.user('bob')
try: box.pass_('wrong'); print('in')
except poplib.error_proto as e: print(e.args[0][:11])
`,
      portico.ports.pop3,
      ca(),
    )
    expect(said.split('\n')).toEqual(["b'+OK'", '1 1 True', "b'+OK'", "b'-ERR [AUTH]'", ''])
  })

  test('mpop fetches the mail over STLS and signs in with PLAIN', async () => {
    const { folder } = settingsFile('x', '')
    const inbox = join(folder, 'inbox')
    const rc = settingsFile(
      'mpoprc',
      `account default
host localhost
port ${portico.ports.pop3}
tls on
tls_starttls on
tls_trust_file ${ca()}
auth plain
user alice
password alicepw
keep on
delivery mbox ${inbox}
uidls_file ${folder}/uidls
`,
    )
    await succeed('mpop', ['-C', rc.file], { env: { HOME: folder } })
    expect(readFileSync(inbox, 'utf8')).toContain('Subject: for alice')
  })

  test('fetchmail fetches the mail of both users over TLS', async () => {
    const { folder } = settingsFile('x', '')
    const entry = (user: string): string =>
      `poll localhost protocol POP3 port ${portico.ports.pop3s} user "${user}" password "${user}pw" keep ssl sslcertfile "${ca()}" sslcertck mda "cat >>${folder}/${user}"\n`
    for (const user of ['alice', 'bob']) {
      const rc = settingsFile('fetchmailrc', entry(user))
      await succeed('fetchmail', ['-f', rc.file, '--all', '--nosyslog', '--pidfile', join(folder, `${user}.pid`)], {
        env: { HOME: folder },
      })
      expect(existsSync(join(folder, user)) && readFileSync(join(folder, user), 'utf8')).toContain(
        `Subject: for ${user}`,
      )
    }
  })

  test('a wrong password is answered here: no backend hears of it', async () => {
    const before = dovecots.first.log().length
    const done = await curl('pop3s', 'alice:guess')
    expect(done.code).toBe(67)
    await eventually(() =>
      expect(portico.sessions().some(({ user, backend }) => user === 'alice' && backend === undefined)).toBe(true),
    )
    expect(dovecots.first.log().slice(before)).not.toContain('pop3-login')
  })

  test('the backend is told the client’s address and the session’s id (XCLIENT)', async () => {
    const cases = [
      ['alice:alicepw', '127.0.0.77', dovecots.first],
      ['bob:bobpw', '127.0.0.78', dovecots.second],
    ] as const
    for (const [user, client, dovecot] of cases) {
      expect((await curl('pop3s', user, '--interface', client)).code).toBe(0)
      const line = await dovecot.logged(new RegExp(`Login: .*rip=${client.replaceAll('.', '\\.')},`))
      await eventually(() => expect(portico.sessions().map((session) => session['client'])).toContain(client))
      const ended = portico.sessions().find((session) => session['client'] === client)
      expect(line).toContain(`session=<${ended?.['session']}>`)
    }
  })

  test('no password is in any log line', () => {
    expect(portico.log()).toContain('session ended')
    for (const secret of ['alicepw', 'bobpw', 'masterpw', 'guess']) expect(portico.log()).not.toContain(secret)
  })
})
