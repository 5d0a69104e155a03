// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataScanner } from '../src/message/data-scanner.js'
import { DotStuffer, DotUnstuffer, plainOf } from '../src/message/dot-stuffing.js'
import { cut, cutPlaces, messageOctets } from './pieces.js'

function stuff(pieces: readonly Buffer[]): { readonly text: string; readonly end: string; readonly writes: number } {
  const stuffer = new DotStuffer()
  const written: string[] = []
  for (const piece of pieces)
    stuffer.stuff(piece, (part) => {
      expect(part.length).toBeGreaterThan(0)
      written.push(typeof part === 'string' ? part : Buffer.from(part).toString('latin1'))
    })
  return { text: written.join(''), end: stuffer.end(), writes: written.length }
}

function unstuff(pieces: readonly Buffer[]): string {
  const unstuffer = new DotUnstuffer()
  let text = ''
  for (const piece of pieces)
    unstuffer.unstuff(piece, (part) => {
      expect(part.length).toBeGreaterThan(0)
      text += Buffer.from(part).toString('latin1')
    })
  return text
}

describe('plain text as DATA (RFC 5321 section 4.5.2)', () => {
  test.each<[string, string, string]>([
    ['nothing', '', '.\r\n'],
    ['a line', 'a\r\n', 'a\r\n.\r\n'],
    ['a last line without CRLF', 'a', 'a\r\n.\r\n'],
    ['a last line that is a dot', '.', '..\r\n.\r\n'],
    ['a dot in the first line', '.a\r\n', '..a\r\n.\r\n'],
    ['a terminator inside', 'a\r\n.\r\nQUIT\r\n', 'a\r\n..\r\nQUIT\r\n.\r\n'],
    ['dots inside a line', 'a.b.\r\n', 'a.b.\r\n.\r\n'],
    ['a last CR', 'a\r', 'a\r\r\n.\r\n'],
    ['a LF alone', '\n', '\n\r\n.\r\n'],
    ['many dots', '.\r\n'.repeat(20), `${'..\r\n'.repeat(20)}.\r\n`],
  ])('%s', (_label, text, expected) => {
    for (const pieces of [[Buffer.from(text)], [...text].map((octet) => Buffer.from(octet))]) {
      const { text: body, end } = stuff(pieces)
      expect(body + end).toBe(expected)
    }
  })

  test('what needs no dot is written as it came, and many dots are not many writes', () => {
    const view = Buffer.from('a\r\nb\r\n')
    const written: unknown[] = []
    new DotStuffer().stuff(view, (part) => written.push(part))
    expect(written).toEqual([view])
    expect(written[0]).toBe(view)
    expect(stuff([Buffer.from('.\r\n'.repeat(20_000))]).writes).toBe(1)
  })
})

test('taken back, any octets are the same whatever the cuts, with their last line completed', () => {
  fc.assert(
    fc.property(messageOctets, cutPlaces, cutPlaces, (text, places, otherPlaces) => {
      const { text: body, end } = stuff(cut(text, places))
      const data = body + end
      expect(data.endsWith('.\r\n')).toBe(true)
      const completed = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`
      expect(unstuff(cut(data.slice(0, -3), otherPlaces))).toBe(completed)
    }),
    { numRuns: 1_500 },
  )
})

test('a message of lines ends where it ends, and nowhere before', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('\r\n', '.', 'a', '.\r\n', '\r\n.\r\n')), cutPlaces, (parts, places) => {
      const text = parts.join('')
      const { text: body, end } = stuff(cut(text, places))
      const scanner = new DataScanner()
      expect(scanner.feed(Buffer.from(`${body}${end}QUIT\r\n`)).taken).toBe(body.length + end.length)
      expect(scanner).toMatchObject({ ended: true, faulty: false })
    }),
    { numRuns: 1_000 },
  )
})

test.each([
  ['no', 0],
  ['one', 1],
  ['some', 3],
  ['many', 20],
])('a section with %s dots is the plain one that was stuffed', (_how, dots) => {
  const plain = Buffer.from(`${'.a: b\r\n'.repeat(dots)}\r\n`)
  expect(plainOf(Buffer.from(stuff([plain]).text, 'latin1')).equals(plain)).toBe(true)
})
