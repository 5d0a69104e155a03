// SPDX-License-Identifier: MIT
import { CancellationSource, NEVER, systemClock } from '@portico/base'
import { DNS_PROGRAMS, type DnsZone, requireServer, startDnsZone } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createResolver } from '../../src/agents/dns/create-resolver.js'
import type { DnsType } from '../../src/agents/dns/dns-resolver.js'
import { dnsSchema } from '../../src/agents/dns/dns-schema.js'

const missing = requireServer(...DNS_PROGRAMS)

/** Against hangs only. */
const PATIENCE = { timeout: 60_000, interval: 10 }
const LONG = 'x'.repeat(250)
const RECORDS = [
  'host A 192.0.2.1',
  'host A 192.0.2.2',
  'host AAAA 2001:db8::1',
  'host TXT "v=spf1 " "-all"',
  '@ MX 10 mx',
  'null MX 0 .',
  'alias CNAME host',
  '1 PTR mail.example.org.',
  // More than a datagram holds: asked again by TCP (RFC 1035 section 4.2.1).
  ...Array.from({ length: 30 }, (_, n) => `long TXT "${n} ${LONG}"`),
]

describe.skipIf(missing !== undefined)('a resolver before Knot DNS', () => {
  let zone: DnsZone
  const settings = (more: object = {}) => dnsSchema.parse({ servers: [zone.server], timeout: '2s', ...more })
  const ask = async (name: string, type: DnsType, more?: object) => {
    using resolver = createResolver(settings(more), systemClock)
    return await resolver.ask(name, type, NEVER)
  }

  beforeAll(async () => {
    const faults = { servfail: ['broken.test.lan', '*.broken.test.lan'], silent: ['silent.test.lan'] }
    zone = await startDnsZone({ zone: 'test.lan', records: RECORDS, ...faults })
  })
  afterAll(() => zone?.stop())

  test.each<[string, string, DnsType, unknown]>([
    ['addresses', 'host.test.lan', 'A', ['192.0.2.1', '192.0.2.2']],
    ['IPv6 addresses', 'host.test.lan', 'AAAA', ['2001:db8::1']],
    ['the strings of a text joined', 'host.test.lan', 'TXT', ['v=spf1 -all']],
    ['mail servers', 'test.lan', 'MX', [{ exchange: 'mx.test.lan', preference: 10 }]],
    ['that no mail is taken (RFC 7505)', 'null.test.lan', 'MX', [{ exchange: '', preference: 0 }]],
    ['names', '1.test.lan', 'PTR', ['mail.example.org']],
    ['what an alias stands for', 'alias.test.lan', 'A', ['192.0.2.1', '192.0.2.2']],
  ])('finds %s', async (_label, name, type, records) => {
    const answer = await ask(name, type)
    expect(answer.kind === 'found' ? [...answer.records].sort() : answer).toEqual(records)
  })

  test('finds what is too long for a datagram', async () => {
    const answer = await ask('long.test.lan', 'TXT')
    expect(answer.kind === 'found' ? answer.records : answer).toHaveLength(30)
  })

  test.each<[string, string, DnsType, object]>([
    ['a name that is not there', 'nobody.test.lan', 'A', { kind: 'absent', why: 'no-name' }],
    ['a name without such records', 'host.test.lan', 'MX', { kind: 'absent', why: 'no-data' }],
    ['a failing server', 'broken.test.lan', 'A', { kind: 'failed', why: 'servfail' }],
    ['a failing server, for all names below', 'a.b.broken.test.lan', 'A', { kind: 'failed', why: 'servfail' }],
    ['a zone that the server does not know', 'host.example.org', 'A', { kind: 'failed', why: 'refused' }],
    ['a silent server', 'silent.test.lan', 'A', { kind: 'failed', why: 'timeout' }],
  ])('tells of %s', async (_label, name, type, expected) => {
    expect(await ask(name, type)).toEqual(expected)
  })

  test('tells that nobody is there', async () => {
    expect(await ask('host.test.lan', 'A', { servers: ['127.0.0.1:1'] })).toEqual({
      kind: 'failed',
      why: 'unreachable',
    })
  })

  test('asks the next server where one is away', async () => {
    expect(await ask('1.test.lan', 'PTR', { servers: ['127.0.0.1:1', zone.server] })).toMatchObject({ kind: 'found' })
  })

  test('is as patient as it may with a server that is fast as a rule', async () => {
    using resolver = createResolver(settings({ timeout: '1m' }), systemClock)
    for (let n = 0; n < 10; n++) await resolver.ask('host.test.lan', 'A', NEVER)
    zone.fail({ silent: ['slow.test.lan'] })
    const before = zone.questions().length
    const answer = resolver.ask('slow.test.lan', 'A', NEVER)
    // c-ares by itself would have given up after two.
    await vi.waitFor(() => expect(zone.questions().length).toBeGreaterThanOrEqual(before + 3), PATIENCE)
    await zone.set([...RECORDS, 'slow A 192.0.2.9'])
    zone.fail({})
    expect(await answer).toEqual({ kind: 'found', records: ['192.0.2.9'] })
  }, 120_000)

  test('keeps no answers: what has changed is seen at once', async () => {
    using resolver = createResolver(settings(), systemClock)
    expect(await resolver.ask('new.test.lan', 'A', NEVER)).toEqual({ kind: 'absent', why: 'no-name' })
    await zone.set([...RECORDS, 'new A 192.0.2.9'])
    expect(await resolver.ask('new.test.lan', 'A', NEVER)).toEqual({ kind: 'found', records: ['192.0.2.9'] })
    expect(zone.questions().filter((question) => question === 'A new.test.lan')).toHaveLength(2)
  })

  test('lets a session go that does not wait', async () => {
    zone.fail({ silent: ['silent.test.lan'] })
    using resolver = createResolver(settings({ timeout: '1m' }), systemClock)
    const session = new CancellationSource()
    const answer = resolver.ask('silent.test.lan', 'A', session)
    session.abort('closed')
    expect(await answer).toEqual({ kind: 'failed', why: 'cancelled' })
  })
})
