// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BackendReply, extensionsOf, parseReplyLine, passedOn, refusalOf } from '../../src/backend/reply.js'
import { formatReply, REPLIES } from '../../src/replies.js'

const octets = (text: string) => Buffer.from(text, 'utf8').toString('latin1')

describe('a line of a reply (RFC 5321 section 4.2)', () => {
  test.each<[string, string, unknown]>([
    ['a last line', '250 2.1.5 OK', { code: 250, last: true, text: '2.1.5 OK' }],
    ['a line with more to come', '250-mx', { code: 250, last: false, text: 'mx' }],
    ['a code alone', '354', { code: 354, last: true, text: '' }],
    ['no reply', 'hello', undefined],
    ['no such code', '199 x', undefined],
    ['a code glued to its text', '250OK', undefined],
  ])('%s', (_label, line, expected) => {
    expect(parseReplyLine(Buffer.from(line))).toEqual(expected)
  })
})

describe("a backend's reply as the client gets it", () => {
  test.each<[string, BackendReply, string]>([
    ['as it is', { code: 550, lines: ['5.1.1 no such user'] }, '550 5.1.1 no such user\r\n'],
    ['a refusal for a reason of its own', { code: 554, lines: ['5.7.1 spam'] }, '554 5.7.1 spam\r\n'],
    [
      'several lines, each with its own enhanced code (RFC 2034 section 4)',
      { code: 550, lines: ['5.1.1 one', '5.1.2 two'] },
      '550-5.1.1 one\r\n550 5.1.2 two\r\n',
    ],
    [
      'a line without an enhanced code gets that of the others',
      { code: 550, lines: ['sorry', '5.1.1 no such user', '2.0.0 odd'] },
      '550-5.1.1 sorry\r\n550-5.1.1 no such user\r\n550 5.1.1 2.0.0 odd\r\n',
    ],
    ['none has one', { code: 452, lines: ['full', 'later'] }, '452-4.0.0 full\r\n452 4.0.0 later\r\n'],
    ['an enhanced code of another class is text', { code: 250, lines: ['5.1.1 odd'] }, '250 2.0.0 5.1.1 odd\r\n'],
    ['an enhanced code alone', { code: 250, lines: ['2.1.5'] }, '250 2.1.5 \r\n'],
    ['nothing said', { code: 250, lines: [''] }, '250 2.0.0 \r\n'],
    ['a version number is no enhanced code', { code: 550, lines: ['5.1.1-x'] }, '550 5.0.0 5.1.1-x\r\n'],
    [
      'UTF-8',
      { code: 550, lines: [octets('5.1.1 unbekannt: M\u00fcller \u{1f600}')] },
      octets('550 5.1.1 unbekannt: M\u00fcller \u{1f600}\r\n'),
    ],
    [
      'octets that are not UTF-8',
      { code: 550, lines: ['5.1.1 M\xfcller \xc0\x80 \xed\xa0\x80'] },
      '550 5.1.1 M?ller ?? ???\r\n',
    ],
    [
      'controls, also those of U+0080',
      { code: 550, lines: ['5.1.1 a\0b\x1b[2Jc\rd\x7f\xc2\x9b'] },
      '550 5.1.1 a?b?[2Jc?d???\r\n',
    ],
    ['a tab', { code: 550, lines: ['5.1.1 a\tb'] }, '550 5.1.1 a b\r\n'],
    [
      '421 is about the backend, not about us (RFC 5321 section 3.8)',
      { code: 421, lines: ['4.3.2 bye'] },
      formatReply(REPLIES.backendTrouble),
    ],
    ['354 where nothing was to come', { code: 354, lines: ['go on'] }, formatReply(REPLIES.backendTrouble)],
  ])('%s', (_label, reply, expected) => {
    expect(formatReply(passedOn(reply, REPLIES.backendTrouble))).toBe(expected)
  })

  test('a line that is too long for SMTP becomes several, and no character is cut (RFC 5321 section 4.5.3.1.5)', () => {
    const text = `y${'\u00e9'.repeat(600)}`
    const told = formatReply(passedOn({ code: 550, lines: [octets(`5.7.1 ${text}`)] }, REPLIES.backendTrouble))
    const lines = Buffer.from(told, 'latin1').toString('utf8').split('\r\n').slice(0, -1)
    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(510)
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.map((line) => line.slice('550-5.7.1 '.length)).join('')).toBe(text)
  })

  test('whatever it is, the client gets a well-formed reply of the same class', () => {
    const line = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((octet) => String.fromCharCode(octet)),
      maxLength: 1_200,
    })
    const reply = fc.record({
      code: fc.integer({ min: 200, max: 599 }).filter((code) => code < 300 || code >= 400),
      first: line,
      more: fc.array(line, { maxLength: 3 }),
    })
    fc.assert(
      fc.property(reply, ({ code, first, more }) => {
        const said = passedOn({ code, lines: [first, ...more] }, REPLIES.backendTrouble)
        expect(String(said.code).charAt(0)).toBe(code === 421 ? '4' : String(code).charAt(0))
        for (const text of formatReply(said).split('\r\n').slice(0, -1)) {
          expect(text).toMatch(/^[245]\d\d[ -][245]\.\d{1,3}\.\d{1,3} [ -~\x80-\xff]*$/)
          expect(text.length).toBeLessThanOrEqual(510)
          expect(Buffer.from(Buffer.from(text, 'latin1').toString('utf8')).toString('latin1')).toBe(text)
        }
      }),
    )
  })

  test('a success that is no answer to what was asked is not told', () => {
    expect(refusalOf({ code: 250, lines: ['2.0.0 ok'] }, REPLIES.backendTrouble)).toBe(REPLIES.backendTrouble)
  })
})

test('extensions are read in any case, also in the old form with =', () => {
  const offered = extensionsOf(['mx hello', 'size 100', 'AUTH=LOGIN', 'AUTH PLAIN LOGIN', '8BITMIME'])
  expect([...offered]).toEqual([
    ['SIZE', '100'],
    ['AUTH', 'PLAIN LOGIN'],
    ['8BITMIME', ''],
  ])
})
