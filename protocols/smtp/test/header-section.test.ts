// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HeaderSection } from '../src/message/header-section.js'
import { cut, cutPlaces, lineOctets } from './pieces.js'

function collect(pieces: readonly Buffer[], maxSize = 1_000_000) {
  const section = new HeaderSection(maxSize)
  let rest = ''
  for (const piece of pieces) {
    const taken = section.take(piece, piece.length)
    rest += piece.toString('latin1', taken)
    // A view dies with the call, unless it has the end.
    if (!section.complete) piece.fill('!')
  }
  const { complete, tooBig, size } = section
  return { text: section.finish().toString('latin1'), rest, complete, tooBig, size }
}

const octetByOctet = (text: string) => [...text].map((octet) => Buffer.from(octet, 'latin1'))

describe('a header section ends with the first empty line (RFC 5322 section 2.1)', () => {
  test.each<[string, string, string, boolean]>([
    ['fields and a body', 'A: 1\r\n\r\n', 'body\r\n\r\n', true],
    ['a message that begins with the empty line', '\r\n', 'A: 1\r\n\r\n', true],
    ['a line that is no field does not end it', 'A: 1\r\nhello\r\nB: 2\r\n\r\n', 'body', true],
    ['a line of white space does not end it', 'A: 1\r\n \r\n\r\n', 'body', true],
    ['stuffed lines are not empty', 'A: 1\r\n..\r\n.\r\n\r\n', 'body', true],
    ['bare line ends do not end it', 'A: 1\n\n\r\r\r\n\r\n', 'body', true],
    ['no empty line', 'A: 1\r\nB: 2\r\n', '', false],
    ['nothing', '', '', false],
  ])('%s', (_label, section, body, complete) => {
    expect(collect(octetByOctet(section + body))).toEqual({
      text: section,
      rest: body,
      complete,
      tooBig: false,
      size: section.length,
    })
    const whole = new HeaderSection(100)
    expect(whole.take(Buffer.from(section + body), section.length + body.length)).toBe(section.length)
    expect(whole.finish().toString()).toBe(section)
  })

  test('what was kept back is part of it, and what may not go on yet is not', () => {
    const section = new HeaderSection(100)
    expect(section.take(Buffer.from('A: 1\r'), 4)).toBe(4)
    expect(section.takeText('\r')).toBe(1)
    expect(section.take(Buffer.from('\n\r\nbody'), 7)).toBe(3)
    expect(section.finish().toString()).toBe('A: 1\r\n\r\n')
  })

  test('in one view it is not copied', () => {
    const view = Buffer.from('A: 1\r\n\r\nbody')
    const section = new HeaderSection(100)
    section.take(view, view.length)
    expect(section.finish().buffer).toBe(view.buffer)
    expect(section.finish().byteOffset).toBe(view.byteOffset)
  })
})

describe('a header section that does not end is not held', () => {
  test.each<[string, string, boolean]>([
    ['as large as may be', `A: ${'x'.repeat(13)}\r\n\r\n`, false],
    ['an octet larger, with its end', `A: ${'x'.repeat(14)}\r\n\r\n`, true],
    ['much larger, without end', 'x'.repeat(100), true],
    ['no empty line, but no larger', 'x'.repeat(20), false],
  ])('%s', (_label, text, tooBig) => {
    for (const pieces of [[Buffer.from(text)], octetByOctet(text)]) {
      const { text: held, ...section } = collect(pieces, 20)
      expect(section.tooBig).toBe(tooBig)
      expect(section.complete).toBe(!tooBig && text.endsWith('\r\n\r\n'))
      expect(held).toBe(tooBig ? '' : text)
    }
  })
})

test('the same end for any octets and any cut', () => {
  fc.assert(
    fc.property(
      lineOctets,
      fc.constantFrom('', '\r\n', '\r\n\r\n'),
      lineOctets,
      cutPlaces,
      (head, end, body, places) => {
        const text = head + end + body
        const found = /^\r\n|\r\n\r\n/.exec(text)
        const upTo = found === null ? text.length : found.index + found[0].length
        expect(collect(cut(text, places))).toEqual({
          text: text.slice(0, upTo),
          rest: text.slice(upTo),
          complete: found !== null,
          tooBig: false,
          size: upTo,
        })
      },
    ),
    { numRuns: 1_500 },
  )
})
