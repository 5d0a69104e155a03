// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  DNS_PROGRAMS,
  type DnsZone,
  type Dovecot,
  type Postfix,
  privateFolder,
  startDnsZone,
  startDovecot,
  startPostfix,
  testCertificates,
} from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { python, run } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

const needs = { programs: ['dovecot', 'postfix', 'swaks', 'python3', ...DNS_PROGRAMS], root: true }

/** Clients, each by an address of its own. */
const STRANGER = '127.0.0.20'
const NAMED = '127.0.0.21'
const NAMELESS = '127.0.0.22'
const FALSE_NAME = '127.0.0.23'
const UNANSWERED = '127.0.0.24'
const ALLOWED = '127.0.0.30'
const BLOCKED = '127.0.0.31'

const RECORDS = [
  'named.far.example. A 127.0.0.21',
  '21.0.0.127.in-addr.arpa. PTR named.far.example.',
  'false.far.example. A 192.0.2.1',
  '23.0.0.127.in-addr.arpa. PTR false.far.example.',
]

/** Connectors for strangers, each with a listener of its name. */
const DOORS = ['smtp', 'strict', 'tag', 'quarantine', 'later', 'guess', 'bad'] as const
type Door = (typeof DOORS)[number] | 'submission'
const listener = (connector: string) => ({ protocol: 'smtp', tls: 'starttls', connector }) as const
const USERS = ['alice', 'staff', 'postmaster', 'kept']

scenario('SMTP policy: names, senders, recipients, reputation', needs, () => {
  let dns: DnsZone
  let dovecot: Dovecot
  let postfix: Postfix
  let portico: Portico<Door>
  const senders = join(privateFolder('pol'), 'senders')

  beforeAll(async () => {
    writeFileSync(senders, 'mallory@far.example\n')
    ;[dovecot, dns] = await Promise.all([
      startDovecot({ name: 'mbx1', users: Object.fromEntries(USERS.map((name) => [name, `${name}pw`])) }),
      startDnsZone({ records: RECORDS, silent: ['24.0.0.127.in-addr.arpa'] }),
    ])
    postfix = await startPostfix({ lmtpPort: dovecot.ports.lmtp, saslPort: dovecot.ports.sasl })
    const tls = { mode: 'starttls', ca: testCertificates().ca.certificateFile, servername: 'localhost' }
    const open = { domains: ['test.lan'], tarpit: '0s', permissions: { anonymous: ['submit', 'any-sender'] } }
    const block = ['eve@far.example', '*.bulk.example']
    portico = await startPortico({
      listeners: {
        smtp: listener('smtp'),
        strict: listener('strict'),
        tag: listener('tag'),
        quarantine: listener('quarantine'),
        later: listener('later'),
        guess: listener('guess'),
        bad: listener('bad'),
        submission: listener('client'),
      },
      users: USERS.map((name) => `${name}:{PLAIN}${name}pw::::::group=mbx1`),
      backends: { mbx1: { identity: 'xclient', smtp: { endpoints: [`127.0.0.1:${postfix.port}`], tls } } },
      more: {
        smtp: {
          connectors: Object.fromEntries(DOORS.map((name) => [name, open])),
          dns: { servers: [dns.server], timeout: '1s' },
          agents: [
            { type: 'ip-list', allow: [ALLOWED], block: [BLOCKED] },
            { type: 'helo', connectors: ['smtp', 'bad'], iprev: true },
            {
              ...{ type: 'helo', connectors: ['strict'], unresolvable: true, otherAddress: true },
              ...{ noReverseName: true, falseReverseName: true, foreignLiteral: true },
            },
            { type: 'sender-filter', connectors: ['smtp'], block, blockFile: senders, ownDomains: true },
            { type: 'sender-filter', connectors: ['bad'], block },
            { type: 'sender-filter', connectors: ['tag'], block, action: 'tag', scl: 6 },
            { type: 'sender-filter', connectors: ['quarantine'], block, action: { quarantine: 'kept@test.lan' } },
            { type: 'sender-filter', connectors: ['later'], block, action: 'tempfail' },
            { type: 'recipient-filter', connectors: ['smtp'], block: ['staff@test.lan'] },
            { type: 'recipient-filter', connectors: ['guess'], maxUnknown: { recipients: 3 } },
            { type: 'reputation', connectors: ['bad'] },
          ],
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all([postfix, dovecot, dns].map((server) => server?.stop()))
  })

  const swaks = (subject: string, more: Readonly<Record<string, string | true>> = {}, door: Door = 'smtp') => {
    const options: Readonly<Record<string, string | true>> = {
      ...{ server: '127.0.0.1', port: String(portico.ports[door]), 'local-interface': STRANGER },
      ...{ from: 'carol@example.org', to: 'alice@test.lan', helo: 'client.example' },
      ...more,
    }
    const written = Object.entries(options).flatMap(([name, value]) =>
      value === true ? [`--${name}`] : [`--${name}`, value],
    )
    return run('swaks', ['--header', `Subject: ${subject}`, ...written])
  }

  async function arrived(subject: string, user = 'alice'): Promise<string> {
    const find = async () => (await dovecot.mailOf(user)).find((text) => text.includes(`Subject: ${subject}\n`))
    await eventually(async () => expect(await find()).toBeDefined())
    return (await find()) ?? ''
  }

  describe('helo', () => {
    test.each([
      ['localhost', /550 5\.5\.2 The name in your HELO or EHLO has to be fully qualified/],
      ['127.0.0.20', /550 5\.5\.2 An address in HELO or EHLO needs brackets/],
      ['portico.test.lan', /550 5\.7\.1 You are not who your HELO or EHLO says/],
      ['test.lan', /550 5\.7\.1 You are not who your HELO or EHLO says/],
    ])('one who says %s is refused, but not by postmaster', async (helo, reply) => {
      expect((await swaks('refused', { helo })).stdout).toMatch(reply)
      const done = await swaks(`to postmaster from ${helo}`, { helo, to: 'postmaster@test.lan' })
      expect(done.code, done.stdout).toBe(0)
    })

    test('who says its name is served, and the message tells of the name of its address', async () => {
      expect((await swaks('with a name', { 'local-interface': NAMED })).code).toBe(0)
      const text = (await arrived('with a name')).replace(/\n\s+/g, ' ')
      expect(text).toMatch(/^Authentication-Results: portico\.test\.lan;.* iprev=pass .*policy\.iprev=127\.0\.0\.21/m)
      expect((await swaks('without a name', { 'local-interface': NAMELESS })).code).toBe(0)
      expect((await arrived('without a name')).replace(/\n\s+/g, ' ')).toMatch(/iprev=permerror/)
    })

    test.each([
      [
        'a name that nobody has',
        STRANGER,
        'nobody.far.example',
        /550 5\.7\.1 The name in your HELO or EHLO does not exist/,
      ],
      ['a name of somebody else', STRANGER, 'named.far.example', /550 5\.7\.1 .* is not that of your address/],
      [
        'a literal of somebody else',
        STRANGER,
        '[192.0.2.1]',
        /550 5\.7\.1 The address in your HELO or EHLO is not yours/,
      ],
      ['no reverse name', NAMELESS, `[${NAMELESS}]`, /550 5\.7\.25 Your address has no name/],
      ['a reverse name that leads elsewhere', FALSE_NAME, `[${FALSE_NAME}]`, /550 5\.7\.25 .* does not lead back/],
    ])('where the site asks the DNS, %s is refused', async (_label, address, helo, reply) => {
      const done = await swaks('refused', { 'local-interface': address, helo }, 'strict')
      expect(done.stdout).toMatch(reply)
    })

    test('and who is what it says is served', async () => {
      const done = await swaks('true', { 'local-interface': NAMED, helo: 'named.far.example' }, 'strict')
      expect(done.code, done.stdout).toBe(0)
    })

    test('a DNS without an answer keeps nobody out', async () => {
      const more = { 'local-interface': UNANSWERED, helo: `[${UNANSWERED}]` }
      const done = await swaks('unanswered', more, 'strict')
      expect(done.code, done.stdout).toBe(0)
      expect(await portico.logged(/an agent gave no answer/)).toContain('"agent":"helo"')
    })
  })

  describe('sender-filter', () => {
    test.each([
      ['in the envelope', { from: 'eve@far.example' }],
      ['of a domain below one in the list', { from: 'x@news.bulk.example' }],
      ['in From alone', { header: 'From: "A friend" <Eve@far.example>' }],
      ['from the file', { from: 'mallory@far.example' }],
      ['who writes as one of ours', { header: 'From: The boss <boss@test.lan>' }],
    ])('a sender %s is refused', async (_label, more) => {
      expect((await swaks('refused', more)).stdout).toMatch(/554 5\.1\.0 Sender Denied/)
    })

    test('others are not, nor one of ours who has signed in', async () => {
      expect((await swaks('from another', { from: 'bob@far.example' })).code).toBe(0)
      const own = {
        tls: true,
        au: 'alice',
        ap: 'alicepw',
        from: 'alice@test.lan',
        header: 'From: <alice@test.lan>',
      } as const
      const done = await swaks('from one of ours', own, 'submission')
      expect(done.code, done.stdout).toBe(0)
    })

    test('the file is read again when it changes', async () => {
      writeFileSync(senders, 'trudy@far.example\n')
      await eventually(async () => {
        const done = await swaks('refused', { from: 'trudy@far.example' })
        expect(done.stdout).toMatch(/554 5\.1\.0 Sender Denied/)
      })
    })

    test('with other actions the message arrives marked, or elsewhere, or has to come again', async () => {
      const more = { from: 'eve@far.example' }
      expect((await swaks('marked', more, 'tag')).code).toBe(0)
      expect(await arrived('marked')).toMatch(/^X-Portico-Finding: sender-filter; sender is blocked$/m)
      expect((await swaks('unmarked', {}, 'tag')).code).toBe(0)
      expect(await arrived('unmarked')).not.toContain('X-Portico')
      expect((await swaks('kept away', more, 'quarantine')).code).toBe(0)
      const kept = await arrived('kept away', 'kept')
      expect(kept).toMatch(/^X-Portico-Quarantine: sender-filter; sender is blocked$/m)
      expect(kept).toMatch(/^X-Portico-Recipient: alice@test\.lan$/m)
      expect((await dovecot.mailOf('alice')).some((text) => text.includes('Subject: kept away\n'))).toBe(false)
      expect((await swaks('later', more, 'later')).stdout).toMatch(/451 4\.1\.0 Sender Denied/)
    })
  })

  describe('recipient-filter', () => {
    test('a list for one’s own people is not there for strangers', async () => {
      expect((await swaks('to staff', { to: 'staff@test.lan' })).stdout).toMatch(/550 5\.1\.1 User unknown/)
    })

    test('who guesses names gets nobody any more; another client does', async () => {
      const guesser = { 'local-interface': '127.0.0.40' }
      for (const name of ['ann', 'ben', 'cat'])
        expect((await swaks('guess', { ...guesser, to: `${name}@test.lan` }, 'guess')).stdout).toMatch(/550 5\.1\.1/)
      await eventually(async () => {
        const done = await swaks('guessed', guesser, 'guess')
        expect(done.stdout).toMatch(/550 5\.7\.1 Too many unknown recipients/)
      })
      expect((await swaks('to postmaster', { ...guesser, to: 'postmaster@test.lan' }, 'guess')).code).toBe(0)
      expect((await swaks('from a neighbour', { 'local-interface': '127.0.0.41' }, 'guess')).code).toBe(0)
    })
  })

  describe('reputation', () => {
    const [BAD, GOOD] = ['127.0.0.50', '127.0.0.51']

    /** So many messages of one client, each in a session of its own; what RCPT or MAIL said to each. */
    const send = async (address: string, sender: string, count: number): Promise<readonly string[]> => {
      const said = await python(
        `
import smtplib, sys
port, address, sender, count = sys.argv[1:]
for n in range(int(count)):
  with smtplib.SMTP('127.0.0.1', int(port), local_hostname='client.example', source_address=(address, 0)) as smtp:
    try:
      smtp.sendmail(sender, ['alice@test.lan'], 'Subject: bulk\\r\\n\\r\\nhello\\r\\n')
      print('250')
    except smtplib.SMTPSenderRefused as error:
      print(error.smtp_code, error.smtp_error.decode())
    except smtplib.SMTPRecipientsRefused as error:
      print(*[f'{code} {text.decode()}' for code, text in error.recipients.values()])
`,
        ...[portico.ports.bad, address, sender, count],
      )
      return said.trimEnd().split('\n')
    }
    const BLOCK = '550 5.7.1 Too much unwanted mail from your address'

    test('a client that sends what nobody wants is blocked after twenty times, another one is not', async () => {
      expect(await send(BAD, 'eve@far.example', 19)).toEqual(Array(19).fill('554 5.1.0 Sender Denied'))
      expect(await send(BAD, 'bob@far.example', 1)).toEqual(['250'])
      await send(BAD, 'eve@far.example', 3)
      const line = JSON.parse(await portico.logged(/a client is blocked for its reputation/)) as object
      expect(line).toMatchObject({ level: 'warn', client: BAD, srl: 9, audit: false })
      expect(await send(BAD, 'bob@far.example', 1)).toEqual([BLOCK])
      expect(await send(GOOD, 'bob@far.example', 25)).toEqual(Array(25).fill('250'))
    })

    test('all workers know', async () => {
      const worker = (line: string) => (JSON.parse(line) as { readonly pid: number }).pid
      const refusers = () =>
        portico
          .log()
          .split('\n')
          .filter((line) => line.includes('"agent":"reputation"') && line.includes('an agent refused'))
          .map(worker)
      expect(portico.workers.length).toBeGreaterThan(1)
      await eventually(async () => {
        expect(await send(BAD, 'bob@far.example', 5)).toEqual(Array(5).fill(BLOCK))
        expect(new Set(refusers())).toEqual(new Set(portico.workers))
      })
    })
  })

  test('a blocked address is refused, an allowed one is asked about by nobody', async () => {
    expect((await swaks('blocked', { 'local-interface': BLOCKED })).stdout).toMatch(
      /550 5\.7\.1 Client address is blocked/,
    )
    const more = { 'local-interface': ALLOWED, helo: 'localhost', from: 'eve@far.example', to: 'staff@test.lan' }
    const done = await swaks('from a friend', more)
    expect(done.code, done.stdout).toBe(0)
    expect(await arrived('from a friend', 'staff')).not.toContain('X-Portico')
  })
})
