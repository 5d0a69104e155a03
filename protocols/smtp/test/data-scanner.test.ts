// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataScanner } from '../src/message/data-scanner.js'
import { cut, cutPlaces, messageOctets } from './pieces.js'

/** Feeds pieces as a client's octets come in; what follows the end is left over. */
function scan(pieces: readonly Buffer[]) {
  const scanner = new DataScanner()
  let passed = ''
  let left = ''
  for (const view of pieces) {
    const { held, upTo, taken } = scanner.feed(view)
    passed += held + view.toString('latin1', 0, upTo)
    left += view.toString('latin1', taken)
  }
  const { ended, faulty, hasNul, size } = scanner
  return { passed, left, ended, faulty, hasNul, size }
}

const whole = (text: string) => scan(cut(text, []))
const byOctet = (text: string) => scan([...text].map((octet) => Buffer.from(octet, 'latin1')))

/** The same with two regular expressions over all octets at once. */
function byRule(text: string): ReturnType<typeof scan> {
  const end = /^\.\r\n|\r\n\.\r\n/.exec(text)
  const total = end === null ? text.length : end.index + end[0].length
  const terminator = end === null ? /(?:^|(?<=\r\n))\.\r?$|\r$/.exec(text) : /\.\r\n$/.exec(text.slice(0, total))
  const fault = /(?:(?<=^|\r\n)\.)?(?:\0|\r(?!\n|$)\0?|(?<!\r)\n)/.exec(text.slice(0, total))
  const upTo = fault?.index ?? terminator?.index ?? total
  const passed = text.slice(0, upTo)
  return {
    passed,
    left: text.slice(total),
    ended: end !== null,
    faulty: fault !== null,
    hasNul: fault?.[0].endsWith('\0') ?? false,
    size: passed.replace(/(^|\r\n)\./g, '$1').length,
  }
}

describe('the end of a message (RFC 5321 section 4.5.2)', () => {
  test.each<[string, string, { passed: string; left: string; size: number }]>([
    ['an empty message', '.\r\nQUIT', { passed: '', left: 'QUIT', size: 0 }],
    ['a line', 'Hi\r\n.\r\n', { passed: 'Hi\r\n', left: '', size: 4 }],
    ['stuffing stays, and is not counted', '..\r\n...\r\n.\r\n', { passed: '..\r\n...\r\n', left: '', size: 7 }],
    ['a dot inside a line', 'a.\r\n.b\r\n.\r\n', { passed: 'a.\r\n.b\r\n', left: '', size: 7 }],
    ['commands behind the end', 'x\r\n.\r\nMAIL\r\n.\r\n', { passed: 'x\r\n', left: 'MAIL\r\n.\r\n', size: 3 }],
    ['8-bit octets', '\xff\xfe\r\n.\r\n', { passed: '\xff\xfe\r\n', left: '', size: 4 }],
    ['tabs and other controls', 'a\tb\x0b\x7f\r\n.\r\n', { passed: 'a\tb\x0b\x7f\r\n', left: '', size: 7 }],
  ])('%s', (_label, text, expected) => {
    expect(whole(text)).toMatchObject({ ...expected, ended: true, faulty: false })
    expect(byOctet(text)).toMatchObject({ ...expected, ended: true, faulty: false })
  })
})

describe('what is no end (RFC 5321 section 2.3.8): nothing from the fault on is passed', () => {
  const smuggled = 'MAIL FROM:<>\r\n.\r\n'
  test.each<[string, string, string]>([
    ['LF . LF', 'a\n.\n', 'a'],
    ['LF . CRLF', 'a\n.\r\n', 'a'],
    ['LF . CR', 'a\n.\r', 'a'],
    ['CR . CRLF', 'a\r.\r\n', 'a'],
    ['CR . CR', 'a\r.\r', 'a'],
    ['CR . LF', 'a\r.\n', 'a'],
    ['CRLF . LF', 'a\r\n.\n', 'a\r\n'],
    ['CRLF . CR', 'a\r\n.\r', 'a\r\n'],
    ['CRLF . CR CR LF', 'a\r\n.\r\r\n', 'a\r\n'],
    ['CR CR LF . CR CR LF', 'a\r\r\n.\r\r\n', 'a'],
    ['LF LF . CRLF', 'a\n\n.\r\n', 'a'],
    ['CRLF NUL . CRLF', 'a\r\n\0.\r\n', 'a\r\n'],
    ['CRLF . NUL CRLF', 'a\r\n.\0\r\n', 'a\r\n'],
    ['CRLF . CR NUL LF', 'a\r\n.\r\0\n', 'a\r\n'],
    ['CR NUL LF . CRLF', 'a\r\0\n.\r\n', 'a'],
    ['a LF at the very beginning', '\n.\r\nb', ''],
  ])('%s', (_label, text, passed) => {
    for (const before of ['', `${'x'.repeat(75)}\r\n`.repeat(3)]) {
      const verdict = { passed: before + passed, left: '', ended: true, faulty: true }
      expect(whole(before + text + smuggled)).toMatchObject(verdict)
      expect(byOctet(before + text + smuggled)).toMatchObject(verdict)
    }
  })
})

test('CR CR LF . CRLF is an end, of a faulty message: its last five octets are those of section 4.1.1.4', () => {
  expect(whole('a\r\r\n.\r\nQUIT\r\n')).toMatchObject({ passed: 'a', left: 'QUIT\r\n', ended: true, faulty: true })
})

test('the verdict is that of the rule, whatever the octets and the cut', () => {
  fc.assert(
    fc.property(messageOctets, cutPlaces, fc.boolean(), (octets, places, ends) => {
      const text = ends ? `${octets}\r\n.\r\n` : octets
      expect(scan(cut(text, places))).toEqual(byRule(text))
    }),
    { numRuns: 2_000 },
  )
})

test('what is passed holds no end and no bare CR or LF', () => {
  fc.assert(
    fc.property(messageOctets, cutPlaces, (octets, places) => {
      const { passed } = scan(cut(octets, places))
      expect(passed.replaceAll('\r\n', '')).not.toMatch(/[\0\r\n]/)
      expect(`\r\n${passed}`).not.toContain('\r\n.\r\n')
    }),
    { numRuns: 1_000 },
  )
})

test('a message of lines, dot-stuffed, comes through as it is with its true size (RFC 1870 section 5)', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[.a-z ]{0,9}$/)), (lines) => {
      const stuffed = lines.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('')
      const size = lines.reduce((sum, line) => sum + line.length + 2, 0)
      const expected = { passed: stuffed, left: 'QUIT\r\n', size, faulty: false }
      expect(whole(`${stuffed}.\r\nQUIT\r\n`)).toMatchObject(expected)
    }),
  )
})
