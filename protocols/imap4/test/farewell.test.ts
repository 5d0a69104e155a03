// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { ImapFarewell } from '../src/farewell.js'
import { ResponseReader } from '../src/response-reader.js'

const octets = (text: string): Buffer => Buffer.from(text, 'latin1')

/** A response as a server sends it, in pieces none of which but the last ends one. */
const literal = fc
  .oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    fc.constantFrom(
      '',
      'a1 OK done\r\n',
      '* 1 EXISTS\r\n',
      '}\r\n',
      '{9}\r\n',
      'x {3}\r\n',
      '* BYE\r\n* 2 FETCH (BODY[] {400}\r\n',
    ),
  )
  .map((content) => `{${content.length}}\r\n${content}`)
const word = fc.constantFrom(
  'FLAGS (\\Seen)',
  'UID 7',
  '"{5}"',
  '"a}"',
  'BODY[TEXT]',
  '}',
  'x'.repeat(300),
  '{ }',
  '{5',
)
const data = fc
  .array(fc.tuple(word, fc.option(literal)), { minLength: 1, maxLength: 4 })
  .map((parts) => `* 1 FETCH (${parts.map(([text, more]) => `${text} ${more ?? ''}`).join('')})\r\n`)
const line = fc.constantFrom(
  '* 3 EXISTS\r\n',
  'a1 OK done\r\n',
  '+ idling\r\n',
  '* OK [ALERT] {curly} words\r\n',
  'a2 NO x}\r\n',
)
const responses = fc.array(fc.oneof(data, line), { minLength: 1, maxLength: 6 })

describe('the end of a response', () => {
  it('is known in whatever pieces the octets come', () => {
    fc.assert(
      fc.property(responses, fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 40 }), (spoken, sizes) => {
        const all = octets(spoken.join(''))
        const ends = new Set(spoken.map((_response, index) => spoken.slice(0, index + 1).join('').length))
        const reader = new ResponseReader()
        for (let at = 0, turn = 0; at < all.length; turn += 1) {
          const next = Math.min(all.length, at + (sizes[turn % Math.max(1, sizes.length)] ?? 1))
          reader.push(all.subarray(at, next))
          at = next
          expect([at, reader.ended]).toEqual([at, ends.has(at)])
        }
      }),
      { numRuns: 400 },
    )
  })

  test.each([
    ['text for people that looks like a header', '* OK read this {5}\r\n'],
    ['a completion that looks like a header', 'a1 NO no mailbox {5}\r\n'],
    ['a literal that a server may not send', '* LIST () "/" {5+}\r\n'],
    ['a literal of unheard-of length', '* LIST () "/" {1234567890123456}\r\n'],
  ])('is never known again after %s', (_what, text) => {
    for (const size of [1, 2, 3, 1_000]) {
      const reader = new ResponseReader()
      const all = octets(`* 1 EXISTS\r\n${text}12345 )\r\n* 2 EXISTS\r\na1 OK done\r\n`)
      for (let at = 0; at < all.length; at += size) reader.push(all.subarray(at, at + size))
      expect(reader.ended).toBe(false)
    }
  })
})

const BYE = '* BYE [UNAVAILABLE] The server is going down, please connect again\r\n'
const ZEROS = 'z'.repeat(400)

describe('last words', () => {
  const cases: readonly [string, string, string, boolean][] = [
    ['right after the sign-in', '', '', true],
    ['after what the server said by itself', '', '* OK [ALERT] hello\r\n', true],
    ['after an answer', 'a1 NOOP\r\n', '* 3 EXISTS\r\na1 OK done\r\n', true],
    ['after an answer and news', 'a1 NOOP\r\n', 'a1 OK done\r\n* 4 EXISTS\r\n', true],
    ['after a refusal', 'a1 SELECT x\r\n', 'a1 NO never\r\n', true],
    ['after long commands and long answers', `a1 X ${ZEROS}\r\na2 NOOP\r\n`, `* X ${ZEROS}\r\na2 OK done\r\n`, true],
    ['after a message', 'a1 FETCH 1 BODY[]\r\n', '* 1 FETCH (BODY[] {3}\r\nabc)\r\na1 OK done\r\n', true],
    ['in IDLE', 'a1 IDLE\r\n', '+ idling\r\n', true],
    ['in IDLE, after news', 'a1 idle\r\n', '+ idling\r\n* 4 EXISTS\r\n', true],
    ['after IDLE', 'a1 IDLE\r\nDONE\r\n', '+ idling\r\n* 4 EXISTS\r\na1 OK done\r\n', true],
    ['before the answer', 'a1 NOOP\r\n', '', false],
    ['before the end of the answer', 'a1 NOOP\r\n', '* 3 EXISTS\r\n', false],
    ['before the last of two answers', 'a1 NOOP\r\na2 NOOP\r\n', 'a1 OK done\r\n', false],
    ['before the end of IDLE', 'a1 IDLE\r\nDONE\r\n', '+ idling\r\n* 4 EXISTS\r\n', false],
    ['in a command', 'a1 NO', '', false],
    ['in an upload', 'a1 APPEND INBOX {100}\r\nhello\r\n', '+ OK\r\n', false],
    ['in a line', 'a1 NOOP\r\n', 'a1 OK done\r\n* 4 EXI', false],
    ['in a message', 'a1 FETCH 1 BODY[]\r\n', '* 1 FETCH (BODY[] {30}\r\nhello\r\na1 OK done\r\n', false],
    ['behind a message', 'a1 FETCH 1 BODY[]\r\n', '* 1 FETCH (BODY[] {12}\r\na1 OK done\r\n', false],
    ['behind an empty literal', 'a1 FETCH 1 BODY[]\r\n', '* 1 FETCH (BODY[] {0}\r\n', false],
    ['where lines end with LF alone', 'a1 NOOP\r\n', 'a1 OK done\n', false],
    ['when a command cannot be seen whole', `a1 X ${ZEROS}\r\n`, 'a1 OK done\r\n', false],
    ['once compression was asked for', 'a1 COMPRESS DEFLATE\r\n', 'a1 OK begin\r\n', false],
    ['in compressed octets', 'a1 COMPRESS DEFLATE\r\nJK\x04\0\0\0\xff\xff', 'a1 OK begin\r\nJ\xcc\0\0\xff\xff', false],
    [
      'in compressed octets that end like a line',
      'a1 COMPRESS DEFLATE\r\nJ\xffK \r\n',
      'a1 OK begin\r\nJ \x01\r\n',
      false,
    ],
  ]
  test.each(cases)('%s', (_when, said, answered, expected) => {
    for (const size of [1, 5, 1_000]) {
      const farewell = new ImapFarewell()
      for (let at = 0; at < said.length; at += size) farewell.toBackend(octets(said.slice(at, at + size)))
      for (let at = 0; at < answered.length; at += size) farewell.toClient(octets(answered.slice(at, at + size)))
      expect(farewell.lastWords()).toBe(expected ? BYE : undefined)
    }
  })
})
