// SPDX-License-Identifier: MIT
import { CancellationSource, NEVER } from '@portico/base'
import { createFakeClock, turns } from '@portico/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { askableName, reversedLabels, reverseName } from '../../src/agents/dns/dns-name.js'
import type { DnsAnswer, DnsType } from '../../src/agents/dns/dns-resolver.js'
import { dnsSchema } from '../../src/agents/dns/dns-schema.js'
import { answerOf, triesWithin } from '../../src/agents/dns/node-lookup.js'
import { QuestionDesk } from '../../src/agents/dns/question-desk.js'

const LABEL = 'a'.repeat(63)

describe('a name to ask for', () => {
  test.each([
    ['a host', 'Mail.Example.ORG', 'mail.example.org'],
    ['the dot of the root', 'example.org.', 'example.org'],
    ['one label', 'localhost', 'localhost'],
    ['a key', 's1._domainkey.example.org', 's1._domainkey.example.org'],
    ['a local part in a policy', 'john+list=a.example.org', 'john+list=a.example.org'],
    ['a domain in its own script (RFC 5891)', 'bücher.example', 'xn--bcher-kva.example'],
    ['the longest label', `${LABEL}.example`, `${LABEL}.example`],
    ['a label that is too long', `${LABEL}a.example`, undefined],
    [
      'the longest name',
      `${LABEL}.${LABEL}.${LABEL}.${'a'.repeat(61)}`,
      `${LABEL}.${LABEL}.${LABEL}.${'a'.repeat(61)}`,
    ],
    ['a name that is too long', `${LABEL}.${LABEL}.${LABEL}.${'a'.repeat(62)}`, undefined],
    ['nothing', '', undefined],
    ['the root', '.', undefined],
    ['an empty label', 'a..example', undefined],
    ['a hyphen at the end of a label', 'a-.example', undefined],
    ['a hyphen at its beginning', '-a.example', undefined],
    ['an escape', 'a\\046b.example', undefined],
    ['a space', 'a b.example', undefined],
    ['a line end', 'a.example\n', undefined],
    ['a NUL', 'a\0.example', undefined],
    ['an address', '192.0.2.1', undefined],
    ['an address literal', '[192.0.2.1]', undefined],
    ['what no script has', 'a\ufffdb.example', undefined],
    ['very much', 'ü'.repeat(5_000), undefined],
  ])('%s', (_label, text, expected) => {
    expect(askableName(text)).toBe(expected)
  })

  test('whatever a peer says, what is asked is a name of the DNS (RFC 1035 section 2.3.4)', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.domain(), fc.stringMatching(/^[a-z0-9._ \\-]{0,300}$/)),
        (text) => {
          const name = askableName(text)
          if (name === undefined) return
          expect(name.length).toBeLessThanOrEqual(253)
          for (const label of name.split('.')) expect(label).toMatch(/^[a-z0-9_+=-]{1,63}$/)
          expect(askableName(name)).toBe(name)
        },
      ),
    )
  })
})

describe('the reversed labels of an address', () => {
  // RFC 5782 sections 2.1 and 2.4, and RFC 3596 section 2.5.
  test.each([
    ['IPv4', '192.0.2.99', '99.2.0.192'],
    ['IPv4-mapped IPv6', '::ffff:192.0.2.99', '99.2.0.192'],
    ['IPv6', '2001:db8:1:2:3:4:567:89ab', 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2'],
    ['shortened IPv6', '2001:db8::1', '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'],
    ['a host name', 'example.org', undefined],
    ['a Unix socket', '/run/mail', undefined],
  ])('%s', (_label, address, expected) => {
    expect(reversedLabels(address)).toBe(expected)
  })

  test('read backwards are the address again', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(reversedLabels(address)?.split('.').reverse().join('.')).toBe(address)
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
        // Not one that stands for an IPv4 address.
        octets[0] = 0x20
        const nibbles = Buffer.from(octets).toString('hex')
        const text = nibbles.replace(/(....)(?=.)/g, '$1:')
        expect(reversedLabels(text)?.split('.').reverse().join('')).toBe(nibbles)
      }),
    )
  })

  test.each([
    ['192.0.2.99', '99.2.0.192.in-addr.arpa'],
    ['2001:db8::1', '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
    ['/run/mail', undefined],
  ])('the name of %s is %s', (address, name) => {
    expect(reverseName(address)).toBe(name)
  })
})

describe('what node:dns says', () => {
  test.each([
    ['ENOTFOUND', { kind: 'absent', why: 'no-name' }],
    ['ENODATA', { kind: 'absent', why: 'no-data' }],
    ['EBADNAME', { kind: 'absent', why: 'not-a-name' }],
    ['ESERVFAIL', { kind: 'failed', why: 'servfail' }],
    ['EREFUSED', { kind: 'failed', why: 'refused' }],
    ['ECONNREFUSED', { kind: 'failed', why: 'unreachable' }],
    ['ETIMEOUT', { kind: 'failed', why: 'timeout' }],
    ['EBADRESP', { kind: 'failed', why: 'bad-answer' }],
    [undefined, { kind: 'failed', why: 'bad-answer' }],
  ])('%s', (code, answer) => {
    expect(answerOf(code)).toEqual(answer)
  })
})

test.each([
  ['250 + 500 + 1000 + 2000 + 4000 ms hold 5 s', 5_000, 1, 5],
  ['two servers are asked in turn', 5_000, 2, 4],
  ['never fewer than one', 500, 8, 1],
])('repetitions: %s', (_label, timeout, servers, tries) => {
  expect(triesWithin(timeout, servers)).toBe(tries)
})

describe('settings', () => {
  test('servers are addresses with ports', () => {
    expect(dnsSchema.parse({ servers: ['127.0.0.1:5353', '[::1]:53'] }).servers).toEqual(['127.0.0.1:5353', '[::1]:53'])
  })

  test.each([['ns.example:53'], ['127.0.0.1'], ['unix:/run/dns'], ['']])('%s is no server', (server) => {
    expect(dnsSchema.safeParse({ servers: [server] }).success).toBe(false)
  })
})

/** A desk before a lookup that a test answers by hand. */
function desk(more: { readonly timeout?: number; readonly maxLookups?: number } = {}) {
  const clock = createFakeClock()
  const open: { readonly question: string; readonly answer: (answer: DnsAnswer<DnsType>) => void }[] = []
  const asked: string[] = []
  const lookup = <T extends DnsType>(name: string, type: T): Promise<DnsAnswer<T>> =>
    new Promise((resolve) => {
      asked.push(`${type} ${name}`)
      open.push({ question: `${type} ${name}`, answer: resolve as (answer: DnsAnswer<DnsType>) => void })
    })
  const made = new QuestionDesk({ lookup, clock, timeout: 5_000, maxLookups: 2, ...more })
  return { clock, desk: made, asked, open }
}

const found = (...records: string[]): DnsAnswer<'A'> => ({ kind: 'found', records })

describe('questions of many sessions', () => {
  test('are asked once while they have no answer, and again after it', async () => {
    const { desk: resolver, asked, open } = desk()
    const both = [resolver.ask('a.example', 'A', NEVER), resolver.ask('A.example.', 'A', NEVER)]
    await turns(1)
    expect(asked).toEqual(['A a.example'])
    open[0]?.answer(found('127.0.0.2'))
    expect(await Promise.all(both)).toEqual([found('127.0.0.2'), found('127.0.0.2')])
    void resolver.ask('a.example', 'A', NEVER)
    await turns(1)
    expect(asked).toEqual(['A a.example', 'A a.example'])
  })

  test('wait while so many are open, in their order', async () => {
    const { desk: resolver, asked, open } = desk()
    const answers = ['a', 'b', 'c', 'd'].map((name) => resolver.ask(`${name}.example`, 'A', NEVER))
    expect(asked).toEqual(['A a.example', 'A b.example'])
    open[1]?.answer(found('127.0.0.2'))
    expect(await answers[1]).toEqual(found('127.0.0.2'))
    expect(asked).toEqual(['A a.example', 'A b.example', 'A c.example'])
  })

  test('fail at once where too many wait already', async () => {
    const { desk: resolver, asked } = desk({ maxLookups: 1 })
    for (let n = 0; n <= 4_096; n++) void resolver.ask(`n${n}.example`, 'A', NEVER)
    expect(await resolver.ask('late.example', 'A', NEVER)).toEqual({ kind: 'failed', why: 'busy' })
    expect(asked).toEqual(['A n0.example'])
  })

  test('are not asked when those who waited have gone', async () => {
    const { desk: resolver, asked, open } = desk({ maxLookups: 1 })
    const gone = new CancellationSource()
    void resolver.ask('a.example', 'A', NEVER)
    const answer = resolver.ask('b.example', 'A', gone)
    await turns(1)
    gone.abort('closed')
    expect(await answer).toEqual({ kind: 'failed', why: 'cancelled' })
    open[0]?.answer(found('127.0.0.2'))
    await turns(1)
    expect(asked).toEqual(['A a.example'])
  })

  test('of one who leaves are answered to the others', async () => {
    const { desk: resolver, open } = desk()
    const gone = new CancellationSource()
    const [left, stayed] = [resolver.ask('a.example', 'A', gone), resolver.ask('a.example', 'A', NEVER)]
    await turns(1)
    gone.abort('deadline')
    open[0]?.answer(found('127.0.0.2'))
    expect(await left).toEqual({ kind: 'failed', why: 'cancelled' })
    expect(await stayed).toEqual(found('127.0.0.2'))
  })

  test('take no longer than they may', async () => {
    const { desk: resolver, clock } = desk()
    const answer = resolver.ask('a.example', 'A', NEVER)
    await clock.advance(5_000)
    expect(await answer).toEqual({ kind: 'failed', why: 'timeout' })
    expect(clock.pending).toBe(0)
  })

  test('that fail for who asked before are asked anew for who came later, within their time', async () => {
    const { desk: resolver, clock, asked, open } = desk()
    const silence = { kind: 'failed', why: 'timeout' } as const
    const first = resolver.ask('a.example', 'A', NEVER)
    await clock.advance(4_900)
    const [second, third] = [resolver.ask('a.example', 'A', NEVER), resolver.ask('a.example', 'A', NEVER)]
    open[0]?.answer(silence)
    expect(await first).toEqual(silence)
    await turns(1)
    expect(asked).toEqual(['A a.example', 'A a.example'])
    open[1]?.answer(found('127.0.0.2'))
    expect(await Promise.all([second, third])).toEqual([found('127.0.0.2'), found('127.0.0.2')])
    expect(clock.pending).toBe(0)
  })

  test('that are asked anew take no longer than they may, all in all', async () => {
    const { desk: resolver, clock, open } = desk()
    void resolver.ask('a.example', 'A', NEVER)
    await clock.advance(2_000)
    let answer: unknown
    void resolver.ask('a.example', 'A', NEVER).then((one) => (answer = one))
    await clock.advance(2_000)
    open[0]?.answer({ kind: 'failed', why: 'servfail' })
    await clock.advance(2_900)
    expect(answer).toBeUndefined()
    await clock.advance(200)
    expect(answer).toEqual({ kind: 'failed', why: 'timeout' })
  })

  test('of a session that is over, and such as are no names, are not asked', async () => {
    const { desk: resolver, asked } = desk()
    const over = new CancellationSource()
    over.abort('closed')
    expect(await resolver.ask('a.example', 'A', over)).toEqual({ kind: 'failed', why: 'cancelled' })
    expect(await resolver.ask('a b', 'A', NEVER)).toEqual({ kind: 'absent', why: 'not-a-name' })
    expect(asked).toEqual([])
  })

  test('leave the slot of their signal free, however many there are', async () => {
    const { desk: resolver, open } = desk({ maxLookups: 50 })
    const signal = new CancellationSource()
    const answers = Array.from({ length: 50 }, (_, n) => resolver.ask(`n${n}.example`, 'A', signal))
    let told = false
    signal.onAbort = () => {
      told = true
    }
    await turns(1)
    for (const { answer } of open) answer(found('127.0.0.2'))
    expect(await Promise.all(answers)).toHaveLength(50)
    signal.abort('closed')
    expect(told).toBe(true)
  })
})
