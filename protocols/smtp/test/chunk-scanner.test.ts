// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ChunkScanner } from '../src/message/chunk-scanner.js'
import { cut, cutPlaces, messageOctets } from './pieces.js'

function scan(pieces: readonly Buffer[]) {
  const scanner = new ChunkScanner()
  for (const piece of pieces) scanner.feed(piece)
  const { faulty, hasNul, endsWithCrlf, endsWithCr, size } = scanner
  return { faulty: faulty || endsWithCr, hasNul, endsWithCrlf, size }
}

describe('chunks of a message of lines (RFC 3030 section 3, RFC 5321 section 2.3.8)', () => {
  test.each<[string, readonly string[], Partial<ReturnType<typeof scan>>]>([
    ['nothing', [], { faulty: false, endsWithCrlf: true, size: 0 }],
    ['an empty last chunk', ['a\r\n', ''], { faulty: false, endsWithCrlf: true, size: 3 }],
    ['a last line without CRLF', ['a\r\nb'], { faulty: false, endsWithCrlf: false }],
    ['a terminator of DATA is text', ['a\r\n.\r\nb\r\n'], { faulty: false, endsWithCrlf: true }],
    ['a CRLF cut in two', ['a\r', '\nb\r\n'], { faulty: false, endsWithCrlf: true }],
    ['a CR at the end', ['a\r'], { faulty: true }],
    ['a CR at the end, and an empty last chunk', ['a\r', ''], { faulty: true }],
    ['a CR and text of the next chunk', ['a\r', 'b\r\n'], { faulty: true }],
    ['a LF at the beginning of the next chunk', ['a', '\nb\r\n'], { faulty: true }],
    ['a LF at the beginning', ['\na\r\n'], { faulty: true }],
    ['CR CR LF', ['a\r\r\n'], { faulty: true }],
    ['LF . LF', ['a\n.\nb\r\n'], { faulty: true, hasNul: false }],
    ['a NUL', ['a\0\r\n'], { faulty: true, hasNul: true }],
    ['a NUL behind a bare LF', ['a\n\0\r\n'], { faulty: true, hasNul: false }],
  ])('%s', (_label, chunks, expected) => {
    expect(scan(chunks.map((chunk) => Buffer.from(chunk, 'latin1')))).toMatchObject(expected)
  })
})

test('the verdict is that of the rule, whatever the octets and the cut', () => {
  fc.assert(
    fc.property(messageOctets, cutPlaces, (text, places) => {
      const faulty = /\0|\r(?!\n)|(?<!\r)\n/.test(text)
      expect(scan(cut(text, places))).toMatchObject({
        faulty,
        endsWithCrlf: !faulty && /(?:^|\r\n)$/.test(text),
        size: text.length,
      })
    }),
    { numRuns: 1_500 },
  )
})
