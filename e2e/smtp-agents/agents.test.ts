// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import {
  type Dovecot,
  type Postfix,
  privateFolder,
  type Rspamd,
  startDovecot,
  startPostfix,
  startRspamd,
  testCertificates,
} from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { python, run } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

const needs = { programs: ['dovecot', 'postfix', 'rspamd', 'swaks', 'python3'], root: true }
const [BLOCKED, KNOWN] = ['127.0.0.66', '127.0.0.88']
/** The pattern that every filter takes for spam, put together here so that no scanner finds it in this file. */
const GTUBE = ['XJS*C4JDBQADN1.NSBN3*2IDNEN', '*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*', 'C.34X'].join('')

scenario('SMTP with agents: address lists, a slow greeting, rspamd', needs, () => {
  let dovecot: Dovecot
  let postfix: Postfix
  let rspamd: Rspamd
  let portico: Portico<'smtp' | 'slow' | 'submission'>
  const blockFile = join(privateFolder('lst'), 'blocked')

  beforeAll(async () => {
    writeFileSync(blockFile, `${BLOCKED} until 2999-01-01T00:00:00Z\n127.0.0.67 until 2020-01-01T00:00:00Z\n`)
    ;[dovecot, rspamd] = await Promise.all([
      startDovecot({ name: 'mbx1', users: { alice: 'alicepw', staff: 'staffpw', postmaster: 'pmpw' } }),
      startRspamd(),
    ])
    postfix = await startPostfix({ lmtpPort: dovecot.ports.lmtp, saslPort: dovecot.ports.sasl })
    const tls = { mode: 'starttls', ca: testCertificates().ca.certificateFile, servername: 'localhost' }
    portico = await startPortico({
      listeners: {
        smtp: { protocol: 'smtp', tls: 'starttls', connector: 'inbound' },
        slow: { protocol: 'smtp', tls: 'starttls', connector: 'slow' },
        submission: { protocol: 'smtp', tls: 'starttls', connector: 'client' },
      },
      users: ['alice', 'staff', 'postmaster'].map((name) => `${name}:{PLAIN}${name}pw::::::group=mbx1`),
      backends: { mbx1: { identity: 'xclient', smtp: { endpoints: [`127.0.0.1:${postfix.port}`], tls } } },
      more: {
        smtp: {
          connectors: {
            inbound: { domains: ['test.lan'], tarpit: '0s' },
            slow: { domains: ['test.lan'], tarpit: '0s' },
          },
          agents: [
            { type: 'rspamd', url: `http://127.0.0.1:${rspamd.port}/checkv2`, maxSize: '1MiB' },
            { type: 'recipient-filter', block: ['staff@test.lan'] },
            { type: 'greet-delay', connectors: ['slow'], delay: '1s' },
            { type: 'ip-list', blockFile, allow: [KNOWN] },
          ],
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all([postfix, rspamd, dovecot].map((server) => server?.stop()))
  })

  const swaks = (subject: string, ...more: string[]) =>
    run('swaks', [
      ...['--server', '127.0.0.1', '--port', String(portico.ports.smtp), '--from', 'carol@example.org'],
      ...['--header', `Subject: ${subject}`, '--helo', 'client.example', '--to', 'alice@test.lan', ...more],
    ])

  const arrived = async (subject: string, user = 'alice'): Promise<string | undefined> =>
    (await dovecot.mailOf(user)).find((text) => text.includes(`Subject: ${subject}\n`))

  async function onceArrived(subject: string): Promise<string> {
    await eventually(async () => expect(await arrived(subject)).toBeDefined())
    return (await arrived(subject)) ?? ''
  }

  describe('rspamd', () => {
    test('spam is refused in its words, and the mailbox server never saw the message', async () => {
      const before = postfix.log().length
      const done = await swaks('spam', '--body', GTUBE)
      expect(done.code).not.toBe(0)
      expect(done.stdout).toMatch(/554 5\.7\.1 Gtube pattern/)
      expect(postfix.log().slice(before)).not.toMatch(/cleanup/)
      expect(await portico.logged(/an agent refused/)).toContain('"agent":"rspamd"')
    })

    test('mail that it wants later is put off in its words', async () => {
      const done = await swaks('later', '--header', 'X-Test-Later: come again')
      expect(done.stdout).toMatch(/451 4\.7\.1 come again/)
    })

    test('doubtful mail arrives marked; a mark that it brought along is gone', async () => {
      expect((await swaks('doubtful', '--header', 'X-Test-Score: 7', '--header', 'X-Spam: no')).code).toBe(0)
      expect(await onceArrived('doubtful')).toMatch(/^X-Spam: yes\nX-Spam-Score: 7\.00$/m)
      expect(await onceArrived('doubtful')).not.toContain('X-Spam: no')
    })

    test('other mail passes whole, dots and all, through memory and through a file', async () => {
      const said = await python(
        `
import smtplib, sys
for name, lines in (('small', 10), ('larger', 9000)):
  body = '.dot\\r\\n..dots\\r\\n' + ('x' * 70 + '\\r\\n') * lines + '.\\r\\nend\\r\\n'
  smtp = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))
  print(smtp.sendmail('carol@example.org', ['alice@test.lan'], 'X-Spam: no\\r\\nSubject: ' + name + '\\r\\n\\r\\n' + body))
  smtp.quit()
`,
        portico.ports.smtp,
      )
      expect(said).toBe('{}\n{}\n')
      for (const [name, lines] of [
        ['small', 10],
        ['larger', 9_000],
      ] as const) {
        const text = await onceArrived(name)
        expect(text.slice(text.indexOf('\n\n') + 2)).toBe(
          `.dot\n..dots\n${`${'x'.repeat(70)}\n`.repeat(lines)}.\nend\n`,
        )
        expect(text).not.toContain('X-Spam')
      }
    })

    test('it is told who sends what to whom', async () => {
      for (const fact of ['carol@example.org', 'alice@test.lan', '127.0.0.1'])
        await eventually(() => expect(rspamd.log()).toContain(fact))
    })

    test.each([
      ['whose address is known', () => ['--local-interface', KNOWN, '--port', String(portico.ports.smtp)]],
      [
        'who has signed in',
        () => [
          '--port',
          String(portico.ports.submission),
          '-tls',
          '-au',
          'alice',
          '-ap',
          'alicepw',
          '--from',
          'alice@test.lan',
        ],
      ],
    ])('it is not asked about a client %s', async (who, more) => {
      const done = await swaks(`from one ${who}`, '--body', GTUBE, ...more())
      expect(done.code, done.stdout).toBe(0)
      expect(await onceArrived(`from one ${who}`)).toContain(GTUBE)
    })
  })

  describe('addresses', () => {
    test('a blocked one is refused at each recipient but postmaster, one whose time is over is not', async () => {
      const refused = await swaks('blocked', '--local-interface', BLOCKED)
      expect(refused.stdout).toMatch(/550 5\.7\.1 Client address is blocked/)
      expect((await swaks('to postmaster', '--local-interface', BLOCKED, '--to', 'postmaster@test.lan')).code).toBe(0)
      expect((await swaks('not any more', '--local-interface', '127.0.0.67')).code).toBe(0)
    })

    test('the list is read again when it changes', async () => {
      expect((await swaks('before', '--local-interface', '127.0.0.99')).code).toBe(0)
      // Each worker reads it in its own time: nobody else may be in it.
      writeFileSync(blockFile, '127.0.0.96/29\n')
      await eventually(async () => {
        const done = await swaks('after', '--local-interface', '127.0.0.99')
        expect(done.stdout).toMatch(/550 5\.7\.1 Client address is blocked/)
      })
      writeFileSync(blockFile, '\n')
      await eventually(async () => expect((await swaks('again', '--local-interface', '127.0.0.99')).code).toBe(0))
    })
  })

  test('a recipient for one’s own people does not exist for others, but for them', async () => {
    const stranger = await swaks('to staff', '--to', 'staff@test.lan')
    expect(stranger.stdout).toMatch(/550 5\.1\.1 User unknown/)
    const own = ['-tls', '-au', 'alice', '-ap', 'alicepw', '--from', 'alice@test.lan']
    const known = await swaks('to staff', '--to', 'staff@test.lan', '--port', String(portico.ports.submission), ...own)
    expect(known.code, known.stdout).toBe(0)
  })

  test('who talks before the greeting is refused, who waits is served, who is known does not wait', async () => {
    const early = connect({ host: '127.0.0.1', port: portico.ports.slow })
    early.write('EHLO early.example\r\n')
    const [said] = (await once(early, 'data')) as [Buffer]
    expect(said.toString()).toBe('554 5.5.1 Protocol error: you talked before the greeting\r\n')
    early.destroy()
    const known = connect({ host: '127.0.0.1', port: portico.ports.slow, localAddress: KNOWN })
    known.write('QUIT\r\n')
    const [greeting] = (await once(known, 'data')) as [Buffer]
    expect(greeting.toString()).toMatch(/^220 /)
    known.destroy()
    const slow = ['--port', String(portico.ports.slow)]
    const began = performance.now()
    expect((await swaks('patient', ...slow)).code).toBe(0)
    expect(performance.now() - began).toBeGreaterThan(950)
  })

  test('what only servers of the organization may say does not come in', async () => {
    const forged = ['X-MS-Exchange-Organization-SCL: -1', 'Authentication-Results: portico.test.lan; dkim=pass']
    const done = await swaks('forged', ...forged.flatMap((field) => ['--header', field]))
    expect(done.code).toBe(0)
    const text = await onceArrived('forged')
    expect(text).not.toMatch(/Organization-SCL|Authentication-Results/)
  })

  test('without rspamd mail goes on, and the log says so', async () => {
    await rspamd.stop()
    expect((await swaks('unjudged', '--body', GTUBE)).code).toBe(0)
    expect(await portico.logged(/an agent gave no answer/)).toContain('"whenAway":"pass"')
    expect(await onceArrived('unjudged')).toContain(GTUBE)
  })
})
