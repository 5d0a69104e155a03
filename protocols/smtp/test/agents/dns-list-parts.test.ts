// SPDX-License-Identifier: MIT
import { networksOf } from '@portico/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dnsListSchema } from '../../src/agents/dns-list/dns-list-schema.js'
import { providerOf } from '../../src/agents/dns-list/provider.js'
import { isPublic } from '../../src/agents/dns-list/public-address.js'
import { clientOf, originOf } from '../../src/agents/dns-list/received-origin.js'
import { replyText } from '../../src/agents/dns-list/reply-text.js'
import { parseHeader } from '../../src/message/header-fields.js'

function provider(written: object) {
  const [settings] = dnsListSchema.parse({
    type: 'dns-list',
    providers: [{ zone: 'bad.example.com', ...written }],
  }).providers
  if (settings === undefined) throw new Error('no provider')
  return providerOf(settings)
}

describe('the name of an entry', () => {
  test.each([
    ['an IPv4 address (RFC 5782 section 2.1)', 'client', '192.0.2.99', '99.2.0.192.bad.example.com'],
    [
      'an IPv6 address (RFC 5782 section 2.4)',
      'client',
      '2001:db8:1:2:3:4:567:89ab',
      'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bad.example.com',
    ],
    ['the test entry that is listed (RFC 5782 section 5)', 'client', '127.0.0.2', '2.0.0.127.bad.example.com'],
    [
      'the test entry of IPv6 (RFC 5782 section 5)',
      'client',
      '::ffff:7f00:2',
      '2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.bad.example.com',
    ],
    ['a domain (RFC 5782 section 3)', 'sender', 'invalid.example', 'invalid.example.bad.example.com'],
    ['a name of a client', 'helo', 'mx.example.org.', 'mx.example.org.bad.example.com'],
    ['no literal', 'helo', '[192.0.2.1]', undefined],
    ['no single label', 'helo', 'localhost', undefined],
    ['no address that a client calls itself', 'helo', '192.0.2.1', undefined],
    ['no empty domain', 'sender', '', undefined],
    ['no socket', 'client', '/run/mail', undefined],
  ])('%s', (_label, of, subject, name) => {
    expect(provider({ of }).nameOf(subject)).toBe(name)
  })
})

describe('answers', () => {
  test.each<[string, unknown, readonly string[], object]>([
    ['any of 127.0.0.0/8', 'any', ['127.0.0.2'], { kind: 'listed', answer: '127.0.0.2' }],
    ['nothing outside it (RFC 5782 section 2.1)', 'any', ['192.0.2.1'], { kind: 'odd', answer: '192.0.2.1' }],
    ['one of several', ['127.0.0.4'], ['127.0.0.2', '127.0.0.4'], { kind: 'listed', answer: '127.0.0.4' }],
    ['not another address', ['127.0.0.4'], ['127.0.0.2'], { kind: 'clear' }],
    ['a block', ['127.0.0.0/30'], ['127.0.0.3'], { kind: 'listed', answer: '127.0.0.3' }],
    ['not beside it', ['127.0.0.0/30'], ['127.0.0.4'], { kind: 'clear' }],
    ['a bit of a mask', { mask: '127.0.0.12' }, ['127.0.0.9'], { kind: 'listed', answer: '127.0.0.9' }],
    ['no other bit', { mask: '127.0.0.12' }, ['127.0.0.3'], { kind: 'clear' }],
    ['the first octet is no bit', { mask: '127.0.0.12' }, ['127.0.0.0'], { kind: 'clear' }],
    ['no error', 'any', ['127.255.255.254'], { kind: 'odd', answer: '127.255.255.254' }],
    ['no error as a bit', { mask: '127.0.0.2' }, ['127.255.255.254'], { kind: 'odd', answer: '127.255.255.254' }],
    ['an entry beside an error', 'any', ['127.255.255.254', '127.0.0.2'], { kind: 'listed', answer: '127.0.0.2' }],
  ])('%s', (_label, answers, records, reading) => {
    expect(provider({ answers }).read(records)).toEqual(reading)
  })

  test('whatever a list answers, only 127.0.0.0/8 counts', () => {
    fc.assert(
      fc.property(fc.array(fc.ipV4(), { minLength: 1 }), (records) => {
        const reading = provider({}).read(records)
        if (reading.kind === 'listed') expect(reading.answer).toMatch(/^127\./)
        else expect(records.filter((one) => /^127\.(?!255\.255\.)/.test(one))).toEqual([])
      }),
    )
  })
})

describe('settings', () => {
  test.each([
    ['an answer outside 127.0.0.0/8', { answers: ['192.0.2.1'] }],
    ['a block that is wider', { answers: ['127.0.0.0/4', '64.0.0.0/2'] }],
    ['no answers', { answers: [] }],
    ['a mask of no bits', { answers: { mask: '127.0.0.0' } }],
    ['a mask elsewhere', { answers: { mask: '128.0.0.2' } }],
    ['a zone that is no domain', { zone: 'bad example' }],
    ['a zone that leaves no room for IPv6', { zone: `${'a'.repeat(63)}.${'a'.repeat(63)}.${'a'.repeat(62)}` }],
    ['an allow list of domains', { kind: 'allow', of: 'sender' }],
    ['a reply of two lines', { reply: 'a\r\nb' }],
  ])('refuse %s', (_label, written) => {
    const entry = { type: 'dns-list', providers: [{ zone: 'bad.example.com', ...written }] }
    expect(dnsListSchema.safeParse(entry).success).toBe(false)
  })
})

describe('an address', () => {
  test.each([
    ['192.0.2.7', true],
    ['2001:db8::1', true],
    ['8.8.8.8', true],
    ['127.0.0.2', false],
    ['10.1.2.3', false],
    ['172.31.255.255', false],
    ['172.32.0.1', true],
    ['192.168.1.1', false],
    ['169.254.1.1', false],
    ['100.64.0.1', false],
    ['224.0.0.1', false],
    ['::1', false],
    ['::ffff:10.0.0.1', false],
    ['fe80::1', false],
    ['fd00::1', false],
    ['/run/mail', false],
  ])('%s is one of the Internet: %s', (address, expected) => {
    expect(isPublic(address)).toBe(expected)
  })
})

describe('who gave a message to the server that wrote a Received field', () => {
  test.each([
    ['Postfix', 'from mx.example (mx.example [203.0.113.5]) by a.lan (Postfix) with ESMTP id 1', '203.0.113.5'],
    ['Postfix, a forged name', 'from [198.51.100.9] (unknown [203.0.113.5]) by a.lan (Postfix)', '203.0.113.5'],
    ['IPv6', 'from mx (mx [IPv6:2001:db8::5]) by a.lan (Postfix)', '2001:db8::5'],
    ['Sendmail', 'from x (u@mx.example [203.0.113.5] (may be forged)) by a.lan (8.17)', '203.0.113.5'],
    ['Exim', 'from mx.example ([203.0.113.5] helo=[198.51.100.9]) by a.lan with esmtp (Exim)', '203.0.113.5'],
    ['Exim without a name', 'from [203.0.113.5] (helo=198.51.100.9) by a.lan with esmtp (Exim)', '203.0.113.5'],
    ['Exim, an identity', 'from mx ([203.0.113.5] ident=[198.51.100.9]) by a.lan with esmtp (Exim)', '203.0.113.5'],
    ['qmail', 'from unknown (HELO [198.51.100.9]) (203.0.113.5) by a.lan with SMTP', '203.0.113.5'],
    ['Exchange', 'from mx.example (203.0.113.5) by a.lan (10.0.0.9) with Microsoft SMTP Server', '203.0.113.5'],
    ['ours', 'from mx.example ([203.0.113.5]) by a.lan with ESMTPS id 1', '203.0.113.5'],
    ['IPv4-mapped', 'from mx ([::ffff:203.0.113.5]) by a.lan', '203.0.113.5'],
    ['a socket', 'from [198.51.100.9] (local) by a.lan with ESMTP', undefined],
    ['a pickup', 'by a.lan (Postfix, from userid 1000) id 1', undefined],
    ['no address', 'from mx.example by a.lan with SMTP', undefined],
    ['what looks like one', 'from mx ([999.1.1.1]) by a.lan', undefined],
  ])('%s', (_label, text, expected) => {
    expect(clientOf(text)).toBe(expected)
  })

  test('is read in a moment, whatever the field is', () => {
    fc.assert(fc.property(fc.string({ maxLength: 5_000 }), (text) => void clientOf(`from ${text}`)))
    for (const part of ['[', '(', ' ', 'helo=', '(HELO ', '[1:', 'a '])
      expect(clientOf(`from x (${part.repeat(100_000)}`)).toBeUndefined()
  })
})

describe('where a message came from to the servers of the site', () => {
  const trusted = networksOf(['203.0.113.0/28'])
  const origin = (...received: string[]) =>
    originOf(parseHeader(Buffer.from(received.map((text) => `Received: ${text}\r\n`).join('')), 'plain'), trusted)
  const from = (address: string) => `from x (x [${address}]) by y.lan`

  test.each([
    ['the first server saw it', [from('198.51.100.9'), from('198.51.100.1')], '198.51.100.9'],
    ['another of the site saw it', [from('203.0.113.2'), from('198.51.100.9')], '198.51.100.9'],
    ['one with a private address saw it', [from('10.0.0.2'), from('127.0.0.1'), from('198.51.100.9')], '198.51.100.9'],
    ['it was written within the site', [from('203.0.113.2'), from('203.0.113.3')], undefined],
    ['it was submitted on a server of the site', ['by a.lan (from userid 1)', from('198.51.100.9')], undefined],
    ['nobody says', [], undefined],
  ])('%s', (_label, received, expected) => {
    expect(origin(...received)).toBe(expected)
  })
})

describe('the text of a reply', () => {
  const facts = {
    subject: '192.0.2.7',
    ip: '192.0.2.7',
    zone: 'bad.example.com',
    answer: '127.0.0.2',
    text: 'see https://x/',
  }

  test('has the words that it names', () => {
    expect(replyText('%IP% %ZONE% %ANSWER% %TEXT% %SUBJECT% 100% %OTHER%', facts)).toBe(
      '192.0.2.7 bad.example.com 127.0.0.2 see https://x/ 192.0.2.7 100% %OTHER%',
    )
  })

  test('is one line that fits, whatever a list says (RFC 5321 section 4.5.3.1.5)', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (text, subject) => {
          const said = replyText('%TEXT% %SUBJECT% %SUBJECT% %SUBJECT%', { ...facts, text, subject })
          expect(said).toMatch(/^[ -~]*$/)
          expect(said.length).toBeLessThanOrEqual(480)
        },
      ),
    )
  })
})
