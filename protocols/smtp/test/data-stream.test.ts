// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataScanner, HopCounter } from '../src/data-stream.js'

/** Feeds pieces as a client's octets come in; what follows the end is left over. */
function scan(pieces: readonly string[]) {
  const scanner = new DataScanner()
  const hops = new HopCounter()
  let passed = ''
  let left = ''
  for (const piece of pieces) {
    const view = Buffer.from(piece, 'latin1')
    const { held, upTo, taken } = scanner.feed(view)
    hops.feedText(held)
    hops.feed(view, upTo)
    passed += held + piece.slice(0, upTo)
    left += piece.slice(taken)
  }
  const { ended, faulty, size } = scanner
  return { passed, left, ended, faulty, size, hops: hops.hops }
}

/** The text cut into pieces at these places. */
function cut(text: string, places: readonly number[]): string[] {
  const sorted = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  return [...sorted, text.length].map((to, index) => text.slice(sorted[index - 1] ?? 0, to))
}

describe('the end of a message (RFC 5321 section 4.5.2)', () => {
  test.each<[string, string, { passed: string; left: string; size: number }]>([
    ['an empty message', '.\r\nQUIT', { passed: '', left: 'QUIT', size: 0 }],
    ['a line', 'Hi\r\n.\r\n', { passed: 'Hi\r\n', left: '', size: 4 }],
    ['stuffing stays, and is not counted', '..\r\n...\r\n.\r\n', { passed: '..\r\n...\r\n', left: '', size: 7 }],
    ['a dot inside a line', 'a.\r\n.b\r\n.\r\n', { passed: 'a.\r\n.b\r\n', left: '', size: 7 }],
    ['commands behind the end', 'x\r\n.\r\nMAIL\r\n.\r\n', { passed: 'x\r\n', left: 'MAIL\r\n.\r\n', size: 3 }],
    ['8-bit octets', '\xff\xfe\r\n.\r\n', { passed: '\xff\xfe\r\n', left: '', size: 4 }],
  ])('%s', (_label, text, expected) => {
    expect(scan([text])).toMatchObject({ ...expected, ended: true, faulty: false })
  })
})

describe('what is no end (RFC 5321 section 2.3.8): nothing from the fault on is passed', () => {
  test.each<[string, string, string]>([
    ['LF . LF', 'a\n.\nMAIL FROM:<>\r\n.\r\n', 'a'],
    ['LF . CRLF', 'a\n.\r\nMAIL FROM:<>\r\n.\r\n', 'a'],
    ['CR . CRLF', 'a\r.\r\nMAIL FROM:<>\r\n.\r\n', 'a'],
    ['CR . CR', 'a\r.\rMAIL FROM:<>\r\n.\r\n', 'a'],
    ['CRLF . LF', 'a\r\n.\nMAIL FROM:<>\r\n.\r\n', 'a\r\n'],
    ['CRLF . CR', 'a\r\n.\rMAIL FROM:<>\r\n.\r\n', 'a\r\n'],
    ['CRLF . CR CR LF', 'a\r\n.\r\r\nMAIL FROM:<>\r\n.\r\n', 'a\r\n'],
    ['CR CR LF . CRLF', 'a\r\r\n.\r\n', 'a'],
    ['a LF at the very beginning', '\n.\r\nb\r\n.\r\n', ''],
  ])('%s', (_label, text, passed) => {
    expect(scan([text])).toMatchObject({ passed, left: '', ended: true, faulty: true })
    expect(scan([...text])).toMatchObject({ passed, left: '', ended: true, faulty: true })
  })
})

const octets = fc.array(fc.constantFrom('\r\n', '\r', '\n', '.', '..', 'a', 'Received:', '\xff', ' '), {
  maxLength: 40,
})

test('any cut of the octets gives the same verdict and the same octets', () => {
  fc.assert(
    fc.property(octets, fc.array(fc.nat(200), { maxLength: 12 }), (parts, places) => {
      const text = parts.join('')
      expect(scan(cut(text, places))).toEqual(scan([text]))
    }),
    { numRuns: 2_000 },
  )
})

test('what is passed holds no end and no bare CR or LF, whatever comes', () => {
  fc.assert(
    fc.property(octets, (parts) => {
      const { passed } = scan([parts.join('')])
      expect(passed.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
      expect(`\r\n${passed}`).not.toContain('\r\n.\r\n')
    }),
    { numRuns: 2_000 },
  )
})

test('a message of lines, dot-stuffed, comes through as it is with its true size (RFC 1870 section 5)', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[.a-z ]{0,9}$/)), (lines) => {
      const stuffed = lines.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('')
      const size = lines.reduce((sum, line) => sum + line.length + 2, 0)
      expect(scan([`${stuffed}.\r\nQUIT\r\n`])).toMatchObject({
        passed: stuffed,
        left: 'QUIT\r\n',
        size,
        faulty: false,
      })
    }),
  )
})

describe('hops (RFC 5321 section 6.3)', () => {
  test.each<[string, string, number]>([
    ['none', 'Subject: x\r\n\r\n', 0],
    ['two, in any case', 'Received: a\r\nrEcEiVeD: b\r\n\r\n', 2],
    ['obsolete white space in front of the colon', 'Received \t: a\r\n\r\n', 1],
    ['folded lines do not count', 'Received: a\r\n Received: b\r\n\r\n', 1],
    ['longer names do not count', 'Received-SPF: pass\r\nReceivedX: b\r\n\r\n', 0],
    ['the body does not count', 'Received: a\r\n\r\nReceived: b\r\n', 1],
    ['a message without a header', '\r\nReceived: b\r\n', 0],
  ])('%s', (_label, text, hops) => {
    expect(scan([`${text}.\r\n`]).hops).toBe(hops)
    expect(scan([...text, '.\r\n']).hops).toBe(hops)
  })
})
