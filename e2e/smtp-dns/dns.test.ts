// SPDX-License-Identifier: MIT
import {
  DNS_PROGRAMS,
  type DnsZone,
  type Dovecot,
  type Postfix,
  startDnsZone,
  startDovecot,
  startPostfix,
  testCertificates,
} from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../lib/clients.js'
import { type ListenerEntry, type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

const needs = { programs: ['dovecot', 'postfix', 'swaks', ...DNS_PROGRAMS], root: true }

/** A proxy of the site, by which clients come from wherever a test likes. */
const BALANCER = '127.0.0.77'
/** Another, which says by XCLIENT whom it speaks for. */
const PROXY = '127.0.0.78'
/** In blocks for documentation (RFC 5737, RFC 3849): nobody's, and none of a private network. */
const [CLEAN, LISTED, ALLOWED, POLICY, ODD] = [
  '198.51.100.1',
  '198.51.100.2',
  '198.51.100.3',
  '198.51.100.4',
  '198.51.100.5',
]
const [LISTED6, CLEAN6] = ['2001:db8::bad', '2001:db8::900d']

const RECORDS = [
  '2.100.51.198.bl A 127.0.0.2',
  '2.100.51.198.bl TXT "spam was seen from there, see https://bl.test/198.51.100.2"',
  '3.100.51.198.wl A 127.0.5.1',
  '3.100.51.198.bl A 127.0.0.2',
  '4.100.51.198.mix A 127.0.0.9',
  '1.100.51.198.mix A 127.0.0.1',
  '5.100.51.198.bl A 127.255.255.254',
  'd.a.b.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl A 127.0.0.2',
  'spam.example.rhs A 127.0.1.2',
]
const BLOCK = { zone: 'bl.test', reply: '%IP% is blocked: %TEXT%' }

/** Listeners, each with the connector of its name. */
const DOORS = ['inbound', 'audit', 'tag', 'tempfail', 'quarantine', 'strict', 'relayed'] as const
type Door = (typeof DOORS)[number]
type Listeners = Readonly<Record<Door, ListenerEntry>>

scenario('SMTP before lists in the DNS', needs, () => {
  let dovecot: Dovecot
  let postfix: Postfix
  let dns: DnsZone
  let portico: Portico<Door>

  beforeAll(async () => {
    ;[dovecot, dns] = await Promise.all([
      startDovecot({ name: 'mbx1', users: { alice: 'alicepw', staff: 'staffpw', spam: 'spampw', postmaster: 'pmpw' } }),
      startDnsZone({ zone: 'test', records: RECORDS }),
    ])
    // Else it takes no IPv6 addresses of clients by XCLIENT.
    const extra = 'inet_protocols = all'
    postfix = await startPostfix({ lmtpPort: dovecot.ports.lmtp, saslPort: dovecot.ports.sasl, extra })
    const tls = { mode: 'starttls', ca: testCertificates().ca.certificateFile, servername: 'localhost' }
    const listener = (connector: Door): ListenerEntry => ({ protocol: 'smtp', tls: 'starttls', connector })
    const list = (connector: string, more: object = {}) => ({
      ...{ type: 'dns-list', connectors: [connector], providers: [BLOCK], ...more },
    })
    portico = await startPortico({
      listeners: Object.fromEntries(DOORS.map((door) => [door, listener(door)])) as Listeners,
      users: ['alice', 'staff', 'spam', 'postmaster'].map((name) => `${name}:{PLAIN}${name}pw::::::group=mbx1`),
      backends: { mbx1: { identity: 'xclient', smtp: { endpoints: [`127.0.0.1:${postfix.port}`], tls } } },
      more: {
        networks: { balancers: [`${BALANCER}/32`], proxies: [`${PROXY}/32`] },
        smtp: {
          connectors: Object.fromEntries(DOORS.map((name) => [name, { domains: ['test.lan'], tarpit: '0s' }])),
          dns: { servers: [dns.server], timeout: '2s' },
          agents: [
            {
              ...{ type: 'dns-list', deadline: '1s', connectors: ['inbound'] },
              providers: [
                { zone: 'wl.test', kind: 'allow' },
                BLOCK,
                { zone: 'mix.test', answers: { mask: '127.0.0.8' }, reply: '%IP% may not send mail itself' },
                { zone: 'rhs.test', of: 'sender', reply: '%SUBJECT% sends spam' },
              ],
            },
            { type: 'recipient-filter', connectors: ['inbound'], block: ['staff@test.lan'] },
            list('audit', { audit: true }),
            list('tag', { action: 'tag', scl: 6 }),
            list('tempfail', { action: 'tempfail' }),
            list('quarantine', { action: { quarantine: 'spam@test.lan' } }),
            list('strict', { deadline: '1s', whenAway: 'tempfail' }),
            list('relayed', { internalServers: ['203.0.113.0/24'] }),
          ],
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all([postfix, dovecot, dns].map((server) => server?.stop()))
  })

  const swaks = (door: Door, client: string, subject: string, ...more: string[]) => {
    const [family, destination] = client.includes(':') ? ['TCP6', '2001:db8::25'] : ['TCP4', '192.0.2.25']
    return run('swaks', [
      ...['--server', '127.0.0.1', '--port', String(portico.ports[door]), '--local-interface', BALANCER],
      ...['--proxy-family', family, '--proxy-source', client, '--proxy-source-port', '40000'],
      ...['--proxy-dest', destination, '--proxy-dest-port', '25'],
      ...['--helo', 'client.example', '--from', 'carol@example.org', '--to', 'alice@test.lan'],
      ...['--header', `Subject: ${subject}`, ...more],
    ])
  }

  async function onceArrived(subject: string, user = 'alice'): Promise<string> {
    const found = async () => (await dovecot.mailOf(user)).find((text) => text.includes(`Subject: ${subject}\n`))
    await eventually(async () => expect(await found()).toBeDefined())
    return (await found()) ?? ''
  }

  describe('a client', () => {
    test('on no list is served, and each list was asked once', async () => {
      const done = await swaks('inbound', CLEAN, 'clean')
      expect(done.code, done.stdout).toBe(0)
      await onceArrived('clean')
      const asked = dns.questions().filter((question) => question.includes('1.100.51.198.'))
      expect(asked.toSorted()).toEqual(['bl', 'mix', 'wl'].map((zone) => `A 1.100.51.198.${zone}.test`))
    })

    test('on a list is refused in the list’s words, and the log says whom it wrote to', async () => {
      const done = await swaks('inbound', LISTED, 'listed')
      expect(done.code).not.toBe(0)
      expect(done.stdout).toContain(
        '550 5.7.1 198.51.100.2 is blocked: spam was seen from there, see https://bl.test/198.51.100.2',
      )
      const line = JSON.parse(await portico.logged(/an agent refused/)) as Record<string, unknown>
      expect(line).toMatchObject({
        ...{ agent: 'dns-list', client: LISTED, event: 'rcpt', connector: 'inbound' },
        reason: '198.51.100.2 is listed at bl.test as 127.0.0.2',
      })
    })

    test('on a list can write to postmaster', async () => {
      expect((await swaks('inbound', LISTED, 'please', '--to', 'postmaster@test.lan')).code).toBe(0)
      await onceArrived('please', 'postmaster')
    })

    test('with IPv6 is looked for by its nibbles', async () => {
      expect((await swaks('inbound', LISTED6, 'listed six')).stdout).toMatch(/550 5\.7\.1 2001:db8::bad is blocked/i)
      const done = await swaks('inbound', CLEAN6, 'clean six')
      expect(done.code, done.stdout).toBe(0)
    })

    test('on an allow list is exempt from the lists behind it and from all other agents', async () => {
      expect((await swaks('inbound', CLEAN, 'to staff', '--to', 'staff@test.lan')).stdout).toMatch(/550 5\.1\.1 /)
      const done = await swaks('inbound', ALLOWED, 'known to staff', '--to', 'staff@test.lan')
      expect(done.code, done.stdout).toBe(0)
      await onceArrived('known to staff', 'staff')
    })

    test('is refused for the bits that are asked for, and for no others', async () => {
      expect((await swaks('inbound', POLICY, 'policy')).stdout).toMatch(
        /550 5\.7\.1 198\.51\.100\.4 may not send mail itself/,
      )
      expect((await swaks('inbound', CLEAN, 'other bits')).code).toBe(0)
    })

    test('is not refused for a list’s error, of which the log tells', async () => {
      expect((await swaks('inbound', ODD, 'odd')).code).toBe(0)
      const line = await portico.logged(/a DNS list gives answers that are no listings/)
      expect(JSON.parse(line)).toMatchObject({ level: 'warn', list: 'bl.test', answer: '127.255.255.254' })
    })

    test('is refused for its sender’s domain', async () => {
      const done = await swaks('inbound', CLEAN, 'domain', '--from', 'x@spam.example')
      expect(done.stdout).toMatch(/550 5\.7\.1 spam\.example sends spam/)
    })

    test('that is taken off the list is served at once', async () => {
      await dns.set(RECORDS.filter((record) => !record.startsWith('2.100.51.198.bl')))
      expect((await swaks('inbound', LISTED, 'delisted')).code).toBe(0)
      await dns.set(RECORDS)
      expect((await swaks('inbound', LISTED, 'listed again')).code).not.toBe(0)
    })

    test('that a proxy speaks for by XCLIENT is asked about', async () => {
      const at = ['--server', '127.0.0.1', '--port', String(portico.ports.inbound), '--local-interface', PROXY]
      const by = (client: string) =>
        run('swaks', [...at, '--xclient-addr', client, '--from', 'carol@example.org', '--to', 'alice@test.lan'])
      expect((await by(LISTED)).stdout).toMatch(/550 5\.7\.1 198\.51\.100\.2 is blocked/)
      const done = await by(CLEAN)
      expect(done.code, done.stdout).toBe(0)
    })

    test('on this machine is on no list, and nobody is asked', async () => {
      const before = dns.questions().length
      const at = ['--server', '127.0.0.1', '--port', String(portico.ports.audit)]
      const done = await run('swaks', [...at, '--to', 'alice@test.lan', '--header', 'Subject: local'])
      expect(done.code, done.stdout).toBe(0)
      expect(dns.questions()).toHaveLength(before)
    })
  })

  describe('a list that is away', () => {
    test.each([
      ['fails', { servfail: ['*.bl.test'] }, 'bl.test \\(servfail\\)'],
      ['is silent', { silent: ['*.bl.test'] }, 'bl.test \\(timeout\\)'],
    ])('holds nobody when it %s: mail is delivered, and the log names it', async (how, faults, named) => {
      dns.fail(faults)
      const done = await swaks('inbound', LISTED, `away: ${how}`)
      expect(done.code, done.stdout).toBe(0)
      await onceArrived(`away: ${how}`)
      const line = await portico.logged(new RegExp(`no answer from ${named}.*an agent gave no answer`))
      expect(JSON.parse(line)).toMatchObject({ agent: 'dns-list', whenAway: 'pass' })
    })

    test('keeps no other list from being heard', async () => {
      dns.fail({ silent: ['*.bl.test', '*.wl.test'] })
      expect((await swaks('inbound', POLICY, 'others')).stdout).toMatch(/550 5\.7\.1 198\.51\.100\.4 may not send/)
      expect(JSON.parse(await portico.logged(/DNS lists gave no answer/))).toMatchObject({
        lists: ['wl.test (timeout)', 'bl.test (timeout)'],
      })
    })

    test('puts the client off where the site wants that', async () => {
      dns.fail({ silent: ['*.bl.test'] })
      expect((await swaks('strict', CLEAN, 'strict')).stdout).toMatch(/451 4\.3\.0 /)
      dns.fail({})
      expect((await swaks('strict', CLEAN, 'strict later')).code).toBe(0)
    })
  })

  describe('what becomes of a listing', () => {
    test('nothing where it is only watched for', async () => {
      expect((await swaks('audit', LISTED, 'watched')).code).toBe(0)
      expect(await onceArrived('watched')).not.toContain('X-Portico')
      expect(await portico.logged(/an agent only watches/)).toContain('198.51.100.2 is listed at bl.test')
    })

    test('a mark', async () => {
      expect((await swaks('tag', LISTED, 'marked', '--header', 'X-Portico-Finding: none')).code).toBe(0)
      const text = await onceArrived('marked')
      expect(text).toMatch(/^X-Portico-Finding: dns-list; 198\.51\.100\.2 is listed at bl\.test as 127\.0\.0\.2$/m)
      expect(text).toMatch(/^X-MS-Exchange-Organization-SCL: 6$/m)
      expect(text).not.toContain('X-Portico-Finding: none')
      expect((await swaks('tag', CLEAN, 'unmarked')).code).toBe(0)
      expect(await onceArrived('unmarked')).not.toContain('X-Portico-Finding')
    })

    test('a refusal for now', async () => {
      expect((await swaks('tempfail', LISTED, 'later')).stdout).toMatch(/451 4\.7\.1 198\.51\.100\.2 is blocked/)
    })

    test('quarantine: another mailbox gets the message, and its recipient does not', async () => {
      expect((await swaks('quarantine', LISTED, 'kept away')).code).toBe(0)
      const text = await onceArrived('kept away', 'spam')
      expect(text).toMatch(/^X-Portico-Quarantine: dns-list; 198\.51\.100\.2 is listed/m)
      expect((await dovecot.mailOf('alice')).join('\n')).not.toContain('Subject: kept away')
    })
  })

  test('behind a mail server of the site, the client of that server is asked about', async () => {
    const received = (address: string) => [
      '--header',
      `Received: from x.example (x.example [${address}]) by mx.test.lan (Postfix) with ESMTP id 1; Sun, 29 Nov 2026 06:00:00 +0000`,
    ]
    const refused = await swaks('relayed', '203.0.113.9', 'relayed spam', ...received(LISTED))
    expect(refused.stdout).toMatch(/550 5\.7\.1 198\.51\.100\.2 is blocked/)
    expect((await swaks('relayed', '203.0.113.9', 'relayed', ...received(CLEAN))).code).toBe(0)
    await onceArrived('relayed')
  })
})
