// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { standardCipherName } from '../src/message/cipher-name.js'
import { parseHeader } from '../src/message/header-fields.js'
import {
  authenticationResultsField,
  protocolOf,
  receivedField,
  rfc5322Date,
  type TraceFacts,
} from '../src/message/trace.js'

const facts: TraceFacts = {
  helo: 'pc.example',
  client: { address: '2001:db8::7', port: 1, family: 6 },
  hostname: 'mail.example',
  extended: true,
  encrypted: true,
  authenticated: true,
  international: false,
  id: 's1',
  at: 0,
}

describe('the Received field (RFC 5321 section 4.4)', () => {
  const first = 'Received: from pc.example ([IPv6:2001:db8::7])\r\n\tby mail.example with ESMTPSA id s1'
  const date = ';\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n'

  test.each<[string, Partial<TraceFacts>, string]>([
    ['client, host, protocol, id and date', {}, ''],
    [
      'the cipher suite (RFC 8314 section 4.3)',
      { cipher: 'TLS_AES_256_GCM_SHA384' },
      '\r\n\ttls TLS_AES_256_GCM_SHA384',
    ],
    ['an unknown cipher suite is left out', { cipher: 'ROT13' }, ''],
    ['the only recipient', { recipient: 'a.b+c@example.org' }, '\r\n\tfor <a.b+c@example.org>'],
    ['a quoted recipient is left out', { recipient: '"a> by evil"@example.org' }, ''],
    ['an 8-bit recipient of a message that may not have one is left out', { recipient: '\xc3\xa9@example.org' }, ''],
    [
      'recipient and cipher suite',
      { recipient: 'a@example.org', cipher: 'ECDHE-RSA-AES128-GCM-SHA256' },
      '\r\n\tfor <a@example.org>\r\n\ttls TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    ],
  ])('%s', (_label, change, clauses) => {
    expect(receivedField({ ...facts, ...change })).toBe(first + clauses + date)
  })

  test('long clauses are broken at spaces', () => {
    const hostname = `${'h'.repeat(60)}.example`
    expect(receivedField({ ...facts, hostname, helo: hostname })).toBe(
      `Received: from\r\n\t${hostname}\r\n\t([IPv6:2001:db8::7])\r\n\tby ${hostname} with\r\n\tESMTPSA id s1${date}`,
    )
  })

  test.each<[string, Partial<TraceFacts>]>([
    ['SMTP', { extended: false }],
    ['ESMTP', { encrypted: false, authenticated: false }],
    ['ESMTPS', { authenticated: false }],
    ['ESMTPA', { encrypted: false }],
    ['ESMTPSA', {}],
    ['LMTP', { lmtp: true, encrypted: false, authenticated: false }],
    ['LMTPS', { lmtp: true, authenticated: false }],
    ['LMTPSA', { lmtp: true }],
    ['UTF8SMTPSA', { international: true }],
    ['UTF8SMTP', { international: true, encrypted: false, authenticated: false }],
    ['UTF8LMTPS', { international: true, lmtp: true, authenticated: false }],
  ])('with %s (RFC 3848, RFC 6531 section 4.3)', (name, change) => {
    expect(protocolOf({ ...facts, ...change })).toBe(name)
  })

  test('dates have the form of RFC 5322 section 3.3', () => {
    expect(rfc5322Date(Date.UTC(2026, 10, 4, 5, 6, 7))).toBe('Wed, 04 Nov 2026 05:06:07 +0000')
  })
})

describe('Authentication-Results of a submission (RFC 8601 section 2.7.4)', () => {
  test.each<[string, string, boolean, string]>([
    ['a name', 'alice', false, ' smtp.auth=alice'],
    ['a name with a domain', 'alice@example.org', false, ' smtp.auth=alice@example.org'],
    ['a name that has to be quoted', 'al"ice\\ x', false, ' smtp.auth="al\\"ice\\\\ x"'],
    ['a name that pretends to be a result', 'a; dkim=pass', false, ' smtp.auth="a; dkim=pass"'],
    ['a name that the header may not hold', '\u00e9', false, ''],
    ['a name that it may hold', '\u00e9', true, ' smtp.auth=\xc3\xa9'],
    ['a name with a line end', 'a\r\nb', true, ''],
    ['no name', '', false, ''],
  ])('%s', (_label, user, international, result) => {
    expect(
      authenticationResultsField({ hostname: 'mail.example', international }, [
        { method: 'auth', result: 'pass', properties: [['smtp.auth', user]] },
      ]),
    ).toBe(`Authentication-Results: mail.example;\r\n\tauth=pass${result}\r\n`)
  })
})

/** A result that is told whatever the text is. */
function resultsOf(text: string) {
  return [
    { method: 'spf', result: 'pass', comment: text, properties: [['smtp.mailfrom', text]] },
    { method: text, result: text, properties: [[text, text]] },
  ] as const
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 1_500 }),
  fc
    .array(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\0',
        'X-Evil: 1',
        ' ',
        '\t',
        '"',
        '\\',
        '(',
        ')',
        ';',
        '<',
        '>',
        '\xff',
        'a',
      ),
      {
        maxLength: 400,
      },
    )
    .map((parts) => parts.join('')),
)

test('whatever the facts are, each field is one field of lines below 998 octets, and ASCII unless the message is international', () => {
  const anyFacts = fc.record({
    ...{ helo: hostile, hostname: hostile, id: hostile, cipher: hostile, recipient: hostile, user: hostile },
    ...{ international: fc.boolean(), lmtp: fc.boolean() },
    client: hostile.map((address) => ({ address, port: 1, family: 4 }) as const),
  })
  fc.assert(
    fc.property(anyFacts, (change) => {
      for (const [name, field] of [
        ['received', receivedField({ ...facts, ...change })],
        ['authentication-results', authenticationResultsField(change, resultsOf(change.user)) ?? ''],
      ] as const) {
        const parsed = parseHeader(Buffer.from(field, 'latin1'), 'plain')
        expect(parsed.faulty).toBe(false)
        expect(parsed.list.map((one) => one.name)).toEqual([name])
        expect(parsed.list[0]?.end).toBe(field.length)
        expect(Math.max(...field.split('\r\n').map((line) => line.length))).toBeLessThan(998)
        expect(field).toMatch(change.international ? /^[\t\r\n -~\x80-\xff]*$/ : /^[\t\r\n -~]*$/)
        expect(field.endsWith('\r\n')).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
})

test('lines of ordinary facts are not wider than 78 characters (RFC 5322 section 2.1.1)', () => {
  const host = fc.stringMatching(/^[a-z]{1,20}\.[a-z]{1,20}\.example$/)
  fc.assert(
    fc.property(host, host, fc.stringMatching(/^[a-z]{1,20}@[a-z]{1,20}\.example$/), (helo, hostname, recipient) => {
      const field = receivedField({
        ...facts,
        helo,
        hostname,
        recipient,
        id: 'x'.repeat(26),
        cipher: 'TLS_AES_128_CCM_8_SHA256',
      })
      for (const line of field.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78)
    }),
  )
})

test.each<[string, string | undefined]>([
  ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
  ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
  ['ECDHE-RSA-CHACHA20-POLY1305', 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'],
  ['DHE-RSA-AES128-GCM-SHA256', 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256'],
  ['ECDHE-RSA-AES256-SHA384', 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384'],
  ['ECDHE-RSA-AES128-SHA', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA'],
  ['AES256-GCM-SHA384', 'TLS_RSA_WITH_AES_256_GCM_SHA384'],
  ['AES128-SHA', 'TLS_RSA_WITH_AES_128_CBC_SHA'],
  ['AES128', undefined],
  ['ECDHE-AES128-SHA', undefined],
  ['TLS_A;b', undefined],
  ['', undefined],
])("OpenSSL's %s is %s", (name, standard) => {
  expect(standardCipherName(name)).toBe(standard)
})
