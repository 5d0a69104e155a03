// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isForeign,
  parseAuth,
  parseCapabilities,
  parseCommand,
  parsePairs,
  parseResponse,
  textOf,
} from '../src/parse.js'
import { pop3Schema } from '../src/schema.js'

describe('a command (RFC 1939 section 3)', () => {
  test.each([
    ['QUIT', { name: 'QUIT', rest: undefined }],
    ['user alice', { name: 'USER', rest: 'alice' }],
    ['PASS  a b ', { name: 'PASS', rest: ' a b ' }],
    ['PASS ', { name: 'PASS', rest: '' }],
    ['', undefined],
    [' QUIT', undefined],
    ['utf8', { name: 'UTF8', rest: undefined }],
    ['QU1T', undefined],
    ['USER a\0b', undefined],
    ['USER a\rb', undefined],
    ['X'.repeat(17), undefined],
  ])('%j', (line, expected) => {
    expect(parseCommand(line)).toEqual(expected)
  })

  test('whatever stands behind PASS is the password', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (password) => {
        expect(parseCommand(`PASS ${password}`)?.rest).toBe(password)
      }),
    )
  })
})

describe('a stranger is known by its first line', () => {
  test.each([
    ['GET / HTTP/1.1', true],
    ['EHLO mail.example.com', true],
    ['SSH-2.0-OpenSSH_9.2', true],
    ['a1 LOGIN x y', true],
    ['\x16\x03\x01', true],
    ['CAPA', false],
    ['FOO', false],
  ])('%j: %s', (line, foreign) => {
    expect(isForeign(line)).toBe(foreign)
  })
})

describe('AUTH (RFC 5034 section 4)', () => {
  test.each([
    ['plain', { mechanism: 'PLAIN', initial: undefined }],
    ['PLAIN AGE=', { mechanism: 'PLAIN', initial: 'AGE=' }],
    ['SCRAM-SHA-256 =', { mechanism: 'SCRAM-SHA-256', initial: '=' }],
    ['', undefined],
    ['PLAIN a b', undefined],
    ['PLAIN ', undefined],
    ['PL AIN!', undefined],
  ])('%j', (rest, expected) => {
    expect(parseAuth(rest)).toEqual(expected)
  })
})

test('names and passwords are UTF-8 (RFC 6856 section 2.2)', () => {
  expect(textOf('p\xc3\xa4ss')).toBe('päss')
  expect(textOf('p\xe4ss')).toBeUndefined()
})

describe('a backend says (RFC 1939 section 3, RFC 2449 section 8)', () => {
  test.each([
    ['+OK', { kind: 'ok', text: '' }],
    ['+OK 2 messages', { kind: 'ok', text: '2 messages' }],
    ['-ERR [in-use] locked', { kind: 'error', code: 'IN-USE', text: '[in-use] locked' }],
    ['-ERR no', { kind: 'error', code: undefined, text: 'no' }],
    ['+ ', { kind: 'continue' }],
    ['+', { kind: 'continue' }],
    ['+OKAY', { kind: 'garbage' }],
    ['220 smtp', { kind: 'garbage' }],
  ])('%j', (line, expected) => {
    expect(parseResponse(line)).toEqual(expected)
  })

  test('capabilities', () => {
    expect(parseCapabilities(['sasl PLAIN login', 'UIDL'])).toEqual(
      new Map([
        ['SASL', ['PLAIN', 'LOGIN']],
        ['UIDL', []],
      ]),
    )
  })
})

describe('the pairs of XCLIENT', () => {
  test.each([
    [
      'ADDR=192.0.2.1  port=1',
      [
        ['ADDR', '192.0.2.1'],
        ['PORT', '1'],
      ],
    ],
    ['HELO=', [['HELO', '']]],
    ['FORWARD=YT1i==', [['FORWARD', 'YT1i==']]],
    ['', []],
    ['ADDR', undefined],
    ['=x', undefined],
    ['ADDR=1 addr=2', undefined],
    ['ADDR=\x01', undefined],
  ])('%j', (rest, expected) => {
    const pairs = parsePairs(rest)
    expect(pairs && [...pairs]).toEqual(expected)
  })
})

describe('settings', () => {
  test.each(['UTF8', 'utf8 USER', 'LANG', 'STLS', 'SASL PLAIN', 'USER', 'XCLIENT'])(
    'the capability %s follows from what is done, and cannot be claimed',
    (line) => {
      expect(pop3Schema.safeParse({ capabilities: [line] }).success).toBe(false)
    },
  )

  test.each([
    ['en English', true],
    ['zh-Hant-TW 繁體中文', true],
    ['de', true],
    ['en\r\n.', false],
    ['*', false],
    ['', false],
  ])('the language %j: %s', (line, taken) => {
    expect(pop3Schema.safeParse({ languages: [line] }).success).toBe(taken)
  })
})
