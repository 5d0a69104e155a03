// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  capabilityCode,
  isForeign,
  literalMark,
  type Piece,
  parseCommand,
  parseHead,
  parseResponse,
  quoted,
  responseCode,
  textOf,
  withoutReferral,
} from '../src/parse.js'

const text = (line: string): Piece => ({ kind: 'text', text: line })
const literal = (octets: string): Piece => ({ kind: 'literal', octets })
const atom = (octets: string) => ({ kind: 'atom', octets })
const string = (octets: string) => ({ kind: 'string', octets })

describe('the head of a command (RFC 9051 section 2.2.1)', () => {
  test.each([
    ['a1 NOOP', { kind: 'head', tag: 'a1', name: 'NOOP' }],
    ['a1 login x y', { kind: 'head', tag: 'a1', name: 'LOGIN' }],
    ['].[ noop', { kind: 'head', tag: '].[', name: 'NOOP' }],
    ['a1', { kind: 'bad', tag: 'a1' }],
    ['a1 ', { kind: 'bad', tag: 'a1' }],
    ['a1  NOOP', { kind: 'bad', tag: 'a1' }],
    ['a1 /', { kind: 'bad', tag: 'a1' }],
    ['', { kind: 'untagged' }],
    ['+ NOOP', { kind: 'untagged' }],
    ['a+ NOOP', { kind: 'untagged' }],
    ['* NOOP', { kind: 'untagged' }],
    ['a{1} NOOP', { kind: 'untagged' }],
    ['a"1 NOOP', { kind: 'untagged' }],
    ['a\\1 NOOP', { kind: 'untagged' }],
    ['\xe91 NOOP', { kind: 'untagged' }],
    ['a\r NOOP', { kind: 'untagged' }],
    [`${'a'.repeat(129)} NOOP`, { kind: 'untagged' }],
  ])('%j', (line, expected) => {
    expect(parseHead(line)).toEqual(expected)
  })
})

test('a tag is of the octets that the grammar allows, and no others (RFC 9051 section 9)', () => {
  const allowed = `!#$&',-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_\`abcdefghijklmnopqrstuvwxyz|}~`
  const taken = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).filter((octet) => {
    const head = parseHead(`a${octet}b NOOP`)
    return head.kind === 'head' && head.tag.length === 3
  })
  expect(taken.join('')).toBe(allowed)
})

describe('a stranger is known by its first line', () => {
  test.each([
    ['GET / HTTP/1.1', true],
    ['POST /x HTTP/1.0', true],
    ['EHLO mail.example.com', true],
    ['HELO x', true],
    ['SSH-2.0-OpenSSH_9.2', true],
    ['PROXY TCP4 192.0.2.1 192.0.2.2 1 2', true],
    ['', true],
    ['\x16\x03\x01', true],
    ['a1 FOO', false],
    ['GET NOOP', false],
    ['1 LOGIN x y', false],
  ])('%j: %s', (line, foreign) => {
    expect(isForeign(line)).toBe(foreign)
  })
})

describe('a literal is announced at the end of a line (RFC 9051 section 4.3, RFC 7888)', () => {
  test.each([
    ['a LOGIN {5}', { size: 5, waits: true }],
    ['a LOGIN {5+}', { size: 5, waits: false }],
    ['a ID ({0}', { size: 0, waits: true }],
    ['a LOGIN {99999999999999999999}', { size: Number.POSITIVE_INFINITY, waits: true }],
    ['a LOGIN x{5}', undefined],
    ['a LOGIN {-5}', undefined],
    ['a LOGIN {5} ', undefined],
    ['a LOGIN {5-}', undefined],
    ['a LOGIN "{5}"', undefined],
  ])('%j', (line, expected) => {
    expect(literalMark(line)).toEqual(expected)
  })
})

describe('arguments', () => {
  test.each([
    ['none', [text('a NOOP')], []],
    ['atoms', [text('a LOGIN alice se%cr*t')], [atom('alice'), atom('se%cr*t')]],
    ['a domain with its user', [text('a LOGIN corp\\alice x')], [atom('corp\\alice'), atom('x')]],
    ['quoted', [text('a LOGIN "al ice" "a\\"b\\\\c"')], [string('al ice'), string('a"b\\c')]],
    ['empty quoted', [text('a LOGIN "" ""')], [string(''), string('')]],
    [
      'literals',
      [text('a LOGIN {2}'), literal('ab'), text(' {3}'), literal('c\rd'), text('')],
      [string('ab'), string('c\rd')],
    ],
    ['a literal and an atom', [text('a LOGIN {2}'), literal('ab'), text(' x')], [string('ab'), atom('x')]],
    ['a list', [text('a ID ("a" NIL)')], [{ kind: 'list', items: [string('a'), atom('NIL')] }]],
    ['an empty list', [text('a ID ()')], [{ kind: 'list', items: [] }]],
    ['two spaces', [text('a LOGIN  alice x')], undefined],
    ['a space at the end', [text('a NOOP ')], undefined],
    ['an open quote', [text('a LOGIN "alice x')], undefined],
    ['text behind a quote', [text('a LOGIN "alice"x y')], undefined],
    ['an escape of something else', [text('a LOGIN "al\\ice" x')], undefined],
    ['an open list', [text('a ID ("a"')], undefined],
    ['a deep list', [text('a ID (((((("a"))))))')], undefined],
    ['text behind a literal', [text('a LOGIN {2}'), literal('ab'), text('x y')], undefined],
    ['a literal that does not come', [text('a LOGIN {2}')], undefined],
    ['a literal inside a quote', [text('a LOGIN "x {2}'), literal('ab'), text('"')], undefined],
    ['a control character', [text('a LOGIN al\x01ice x')], undefined],
    ['an octet outside ASCII', [text('a LOGIN j\xc3\xbcrgen x')], undefined],
    ['the same in quotes', [text('a LOGIN "j\xc3\xbcrgen" x')], [string('j\xc3\xbcrgen'), atom('x')]],
  ] as const)('%s', (_label, pieces, args) => {
    expect(parseCommand(pieces as readonly Piece[])?.args).toEqual(args)
  })

  test('any name and password in quotes are read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), fc.string({ unit: 'grapheme-ascii' }), (user, password) => {
        const command = parseCommand([text(`a LOGIN ${quoted(user)} ${quoted(password)}`)])
        expect(command?.args.map(textOf)).toEqual([user, password])
      }),
    )
  })

  test('whatever comes is parsed or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 80 }), fc.string({ maxLength: 20 }), (line, more) => {
        const command = parseCommand([text(`a LOGIN ${line}`), literal(more), text(line)])
        expect(command === undefined || command.tag === 'a').toBe(true)
      }),
    )
  })
})

describe('octets as text (RFC 9051 section 4.3)', () => {
  test.each([
    ['ASCII', string('alice'), 'alice'],
    ['UTF-8', string('p\xc3\xa4ss'), 'päss'],
    ['Latin-1', string('p\xe4ss'), undefined],
    ['NUL', string('a\0b'), undefined],
    ['nothing', undefined, undefined],
  ] as const)('%s', (_label, value, expected) => {
    expect(textOf(value as Parameters<typeof textOf>[0])).toBe(expected)
  })
})

describe('a backend says (RFC 9051 section 7)', () => {
  test.each([
    ['* OK hello', { kind: 'untagged', name: 'OK', rest: 'hello' }],
    ['* capability A B', { kind: 'untagged', name: 'CAPABILITY', rest: 'A B' }],
    ['P1 OK done', { kind: 'tagged', status: 'OK', rest: 'done' }],
    ['P1 no [LIMIT] x', { kind: 'tagged', status: 'NO', rest: '[LIMIT] x' }],
    ['P1 BAD', { kind: 'tagged', status: 'BAD', rest: '' }],
    ['+', { kind: 'continue' }],
    ['+ go', { kind: 'continue' }],
    ['P11 OK done', { kind: 'garbage' }],
    ['P1 OKAY', { kind: 'garbage' }],
    ['220 smtp', { kind: 'garbage' }],
    ['', { kind: 'garbage' }],
  ])('%j', (line, expected) => {
    expect(parseResponse(line, 'P1')).toEqual(expected)
  })

  test('response codes and capabilities', () => {
    expect(responseCode('[INUSE] x')).toBe('INUSE')
    expect(responseCode('[capability A] x')).toBe('CAPABILITY')
    expect(responseCode('x [INUSE]')).toBeUndefined()
    expect(capabilityCode('[CAPABILITY IMAP4rev1 auth=plain] x')).toEqual(new Set(['IMAP4REV1', 'AUTH=PLAIN']))
    expect(capabilityCode('done')).toBeUndefined()
  })
})

describe('a referral of a backend (RFC 2221 section 4.1)', () => {
  test.each([
    ['[REFERRAL imap://mbx9.internal/] elsewhere', 'elsewhere'],
    ['[referral imap://a@b/ imap://c/]', ''],
    ['OK [REFERRAL imap://mbx9.internal/] there', 'OK there'],
    ['NO [REFERRAL imap://mbx9.internal/]', 'NO '],
    ['[REFERRALS x] other', '[REFERRALS x] other'],
    ['OK [ALERT] see [REFERRAL x]', 'OK [ALERT] see [REFERRAL x]'],
    ['[CAPABILITY IMAP4rev1] in', '[CAPABILITY IMAP4rev1] in'],
  ])('%j', (response, expected) => {
    expect(withoutReferral(response)).toBe(expected)
  })
})
