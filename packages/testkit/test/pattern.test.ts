// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expand, match, parsePattern } from '../src/transcript/pattern.js'

const NONE = new Map<string, string>()

describe('what a line of a transcript stands for', () => {
  test.each([
    ['plain text', 'a1 NOOP', 'a1 NOOP'],
    ['a dollar sign', 'FLAGS ($$Junk)', 'FLAGS ($Junk)'],
    ['base64 with NUL octets', 'AUTH PLAIN $(b64 "\\0alice\\0secret")', 'AUTH PLAIN AGFsaWNlAHNlY3JldA=='],
    ['repetition', '$(repeat "ab" 3)', 'ababab'],
    ['odd octets', '$(octets "\\xff\\r\\"\\\\")', '\xff\r"\\'],
    ['UTF-8', 'é', '\xc3\xa9'],
    ['a captured name', '$tag OK', 'A7 OK'],
    ['MD5 over a captured name and octets', '$(md5 tag "é")', '5cbf941a229503eda51d86154e394e33'],
  ])('%s', (_label, text, octets) => {
    expect(expand(parsePattern(text), new Map([['tag', 'A7']]))).toBe(octets)
  })

  test.each([
    ['an unknown function', '$(rot13 "x")'],
    ['a lone dollar sign', 'costs $5'],
  ])('%s is refused', (_label, text) => {
    expect(() => parsePattern(text)).toThrow(SyntaxError)
  })

  test('neither a wildcard nor an unknown name can be sent', () => {
    expect(() => expand(parsePattern('$*'), NONE)).toThrow(/cannot be sent/)
    expect(() => expand(parsePattern('$tag'), NONE)).toThrow(/not been captured/)
    expect(() => expand(parsePattern('$(md5 tag "x")'), NONE)).toThrow(/not been captured/)
    expect(() => match(parsePattern('$(md5 tag "x")'), true, 'x\r\n', NONE)).toThrow(/only sent/)
  })
})

describe('how an expectation meets what came', () => {
  const table: [label: string, pattern: string, crlf: boolean, received: string, kind: string][] = [
    ['the same line', 'a OK', true, 'a OK\r\nnext', 'matched'],
    ['another line', 'a OK', true, 'a NO\r\n', 'differs'],
    ['half a line', 'a OK', true, 'a O', 'more'],
    ['a bare LF is not a line end', 'a OK', true, 'a OK\n', 'differs'],
    ['a wildcard does not cross lines', '* OK $*', true, '* OK\r\nx OK y\r\n', 'differs'],
    ['a wildcard may be empty', '* OK$*', true, '* OK\r\n', 'matched'],
    ['characters with a meaning in expressions', '* (a.b)', true, '* (aXb)\r\n', 'differs'],
    ['a prefix without its line end', '+ ', false, '+ ready', 'matched'],
    ['another prefix', '+ ', false, '- ', 'differs'],
    ['half a prefix', '+ ', false, '+', 'more'],
    ['the same name twice must be the same', '$tag $tag', true, 'x y\r\n', 'differs'],
    ['the same name twice', '$tag $tag 1', true, 'x x 1\r\n', 'matched'],
  ]
  test.each(table)('%s', (_label, pattern, crlf, received, kind) => {
    expect(match(parsePattern(pattern), crlf, received, NONE).kind).toBe(kind)
  })

  test('a name keeps what it stood for', () => {
    const found = match(parsePattern('$tag LOGIN $user'), true, 'A1 LOGIN alice\r\nrest', NONE)
    expect(found).toEqual({
      kind: 'matched',
      length: 16,
      captured: new Map([
        ['tag', 'A1'],
        ['user', 'alice'],
      ]),
    })
    expect(match(parsePattern('$tag OK'), true, 'A2 OK\r\n', new Map([['tag', 'A1']])).kind).toBe('differs')
  })

  test('any line matches itself written out, and only as a whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (text) => {
        const parts = parsePattern(text.replaceAll('$', '$$$$'))
        expect(match(parts, true, `${text}\r\n`, NONE)).toMatchObject({ kind: 'matched', length: text.length + 2 })
        expect(match(parts, true, `${text}.\r\n`, NONE).kind).toBe('differs')
      }),
    )
  })
})
