// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePath } from '../src/address.js'
import { parseCommand } from '../src/parse.js'

const none = new Map()
const box = (local: string, domain: string, text = `${local}@${domain}`) => ({
  text,
  local,
  domain,
  international: false,
})

describe('command lines (RFC 5321 section 4.1.1)', () => {
  test.each<[string, string, unknown]>([
    ['EHLO with a domain', 'EHLO client.example', { kind: 'ehlo', domain: 'client.example' }],
    ['verbs in any case', 'ehlo client.example', { kind: 'ehlo', domain: 'client.example' }],
    ['EHLO with an IPv6 literal', 'EHLO [IPv6:2001:db8::1]', { kind: 'ehlo', domain: '[IPv6:2001:db8::1]' }],
    ['HELO', 'HELO pc_17.local', { kind: 'helo', domain: 'pc_17.local' }],
    ['EHLO without a name', 'EHLO', { kind: 'bad', why: 'arguments' }],
    ['EHLO with words behind the name', 'EHLO a b', { kind: 'bad', why: 'arguments' }],
    ['EHLO that would forge a trace field', 'EHLO a)(b', { kind: 'bad', why: 'arguments' }],
    ['AUTH', 'AUTH plain AGE=', { kind: 'auth', mechanism: 'PLAIN', initial: 'AGE=' }],
    ['AUTH without an initial response', 'AUTH LOGIN', { kind: 'auth', mechanism: 'LOGIN', initial: undefined }],
    ['AUTH with too much', 'AUTH PLAIN a b', { kind: 'bad', why: 'arguments' }],
    ['MAIL', 'MAIL FROM:<a@b.example>', { kind: 'mail', mailbox: box('a', 'b.example'), parameters: none }],
    ['MAIL of a bounce', 'MAIL FROM:<>', { kind: 'mail', mailbox: undefined, parameters: none }],
    [
      'MAIL with parameters',
      'MAIL FROM:<a@b.example> SIZE=12 body=8bitmime SMTPUTF8',
      {
        kind: 'mail',
        mailbox: box('a', 'b.example'),
        parameters: new Map([
          ['SIZE', '12'],
          ['BODY', '8bitmime'],
          ['SMTPUTF8', undefined],
        ]),
      },
    ],
    ['MAIL with a space behind the colon', 'MAIL FROM: <>', { kind: 'mail', mailbox: undefined, parameters: none }],
    ['MAIL with a parameter twice', 'MAIL FROM:<> SIZE=1 SIZE=2', { kind: 'bad', why: 'arguments' }],
    ['MAIL with a parameter glued on', 'MAIL FROM:<a@b.example>SIZE=1', { kind: 'bad', why: 'arguments' }],
    ['MAIL without brackets', 'MAIL FROM:a@b.example', { kind: 'bad', why: 'sender' }],
    ['MAIL without FROM', 'MAIL <a@b.example>', { kind: 'bad', why: 'arguments' }],
    [
      'RCPT',
      'RCPT TO:<A@B.Example>',
      { kind: 'rcpt', mailbox: box('A', 'b.example', 'A@B.Example'), parameters: none },
    ],
    ['RCPT of nobody', 'RCPT TO:<>', { kind: 'bad', why: 'recipient' }],
    ['DATA', 'DATA', { kind: 'data' }],
    ['DATA with arguments', 'DATA now', { kind: 'bad', why: 'arguments' }],
    ['NOOP with arguments', 'NOOP hello', { kind: 'noop' }],
    ['LHLO (RFC 2033)', 'LHLO client.example', { kind: 'lhlo', domain: 'client.example' }],
    ['BDAT (RFC 3030)', 'BDAT 1000', { kind: 'bdat', size: 1000, last: false }],
    ['BDAT LAST in any case', 'bdat 86  last', { kind: 'bdat', size: 86, last: true }],
    ['BDAT of nothing', 'BDAT 0 LAST', { kind: 'bdat', size: 0, last: true }],
    ['BDAT without a size', 'BDAT', { kind: 'bad', why: 'chunk' }],
    ['BDAT with a word for LAST', 'BDAT 1 LATE', { kind: 'bad', why: 'chunk' }],
    ['BDAT with a sign', 'BDAT -1', { kind: 'bad', why: 'chunk' }],
    ['BDAT in hexadecimal', 'BDAT 0x10', { kind: 'bad', why: 'chunk' }],
    ['BDAT that nobody can count', 'BDAT 99999999999999999999', { kind: 'bad', why: 'chunk' }],
    ['BDAT over the limit of a line', `BDAT ${'0'.repeat(600)}`, { kind: 'bad', why: 'chunk' }],
    ['VRFY', 'VRFY alice', { kind: 'vrfy' }],
    ['VRFY of nobody', 'VRFY', { kind: 'bad', why: 'arguments' }],
    ['EXPN of no list', 'EXPN', { kind: 'bad', why: 'arguments' }],
    ['HELP on a topic', 'HELP MAIL', { kind: 'help' }],
    ['HELP', 'HELP', { kind: 'help' }],
    ['white space behind a command', 'QUIT  ', { kind: 'quit' }],
    ['an unknown command', 'XYZZY', { kind: 'bad', why: 'unknown' }],
    ['an empty line', '', { kind: 'bad', why: 'unknown' }],
    ['a bare CR', 'NOOP\rMAIL FROM:<>', { kind: 'bad', why: 'controls' }],
    ['a NUL', 'RCPT TO:<a\0@b.example>', { kind: 'bad', why: 'controls' }],
    ['a browser', 'GET / HTTP/1.1', { kind: 'bad', why: 'http' }],
    ['a form (cross-protocol attack)', 'POST /mail?x=RCPT HTTP/1.1', { kind: 'bad', why: 'http' }],
    ['a command of 510 octets', `NOOP ${'x'.repeat(505)}`, { kind: 'noop' }],
    ['a command of 511 octets', `NOOP ${'x'.repeat(506)}`, { kind: 'bad', why: 'too-long' }],
  ])('%s', (_label, line, expected) => {
    expect(parseCommand(line)).toEqual(expected)
  })

  test('no octets whatever make the parser fail, and no control survives it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom('', 'MAIL FROM:', 'RCPT TO:', 'EHLO '),
        (tail, head) => {
          const command = parseCommand(head + Buffer.from(tail).toString('latin1'))
          expect(JSON.stringify(command)).not.toMatch(/\\[rn]|\\u00[01]/)
        },
      ),
    )
  })
})

describe('paths (RFC 5321 section 4.1.2)', () => {
  test.each<[string, string, unknown]>([
    ['a quoted local part', '<"a b"@c.example>', { ...box('a b', 'c.example', '"a b"@c.example') }],
    ['a quoted pair', '<"a\\"b"@c.example>', { ...box('a"b', 'c.example', '"a\\"b"@c.example') }],
    ['a source route is ignored', '<@x.example,@y.example:a@c.example>', box('a', 'c.example')],
    ['an address literal', '<a@[192.0.2.1]>', box('a', '[192.0.2.1]')],
    [
      'a bare postmaster',
      '<Postmaster>',
      { text: 'Postmaster', local: 'Postmaster', domain: '', international: false },
    ],
    ['plus addressing', '<a+b=c@d.example>', box('a+b=c', 'd.example')],
    ['a root dot', '<a@d.example.>', box('a', 'd.example', 'a@d.example.')],
    ['64 octets of local part', `<${'x'.repeat(64)}@d.example>`, box('x'.repeat(64), 'd.example')],
  ])('%s', (_label, text, mailbox) => {
    expect(parsePath(text)).toEqual({ kind: 'mailbox', mailbox, rest: '' })
  })

  test('UTF-8 is decoded, and marked as needing SMTPUTF8 (RFC 6531)', () => {
    const octets = Buffer.from('<jürgen@bücher.example>').toString('latin1')
    expect(parsePath(octets)).toMatchObject({
      mailbox: { local: 'jürgen', domain: 'bücher.example', international: true },
    })
  })

  test.each<[string, string]>([
    ['no brackets', 'a@b'],
    ['an open bracket', '<a@b'],
    ['two dots', '<a..b@c.example>'],
    ['a leading dot', '<.a@c.example>'],
    ['two at signs', '<a@b@c.example>'],
    ['no domain behind the at sign', '<a@>'],
    ['an empty local part', '<@c.example>'],
    ['an empty quoted local part', '<""@c.example>'],
    ['a space', '<a b@c.example>'],
    ['broken UTF-8', '<\xff@c.example>'],
    ['65 octets of local part', `<${'x'.repeat(65)}@d.example>`],
    ['more than 254 octets', `<a@${'x.'.repeat(130)}d>`],
  ])('refused: %s', (_label, text) => {
    expect(parsePath(text)).toEqual({ kind: 'bad' })
  })

  test('a long hostile path is refused at once', () => {
    const began = process.cpuUsage()
    expect(parsePath(`<${'a.'.repeat(100_000)}@`).kind).toBe('bad')
    expect(parsePath(`<@${'a-'.repeat(500)},@`).kind).toBe('bad')
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(2_000)
  })
})
