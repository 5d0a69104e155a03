// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BodyHash } from '../../../src/agents/authentication/body-hash.js'
import { canonicalField, withoutSignature } from '../../../src/agents/authentication/canonical-header.js'

function bodyHash(form: 'simple' | 'relaxed', pieces: readonly string[]) {
  const hash = new BodyHash(form)
  for (const piece of pieces) hash.update(Buffer.from(piece, 'latin1'))
  return hash.finish()
}

function sha256(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'latin1')).digest('base64')
}

describe('bodies (RFC 6376 section 3.4)', () => {
  test.each([
    ['the example of section 3.4.5, relaxed', 'relaxed', ' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
    ['the example of section 3.4.5, simple', 'simple', ' C \r\nD \t E\r\n\r\n\r\n', ' C \r\nD \t E\r\n'],
    ['nothing, simple', 'simple', '', '\r\n'],
    ['nothing, relaxed', 'relaxed', '', ''],
    ['empty lines only, simple', 'simple', '\r\n\r\n', '\r\n'],
    ['empty lines only, relaxed', 'relaxed', '\r\n \t\r\n', ''],
    ['no end of the last line', 'simple', 'a', 'a\r\n'],
    ['no end of the last line, relaxed', 'relaxed', 'a \t', 'a\r\n'],
    ['empty lines between', 'relaxed', 'a\r\n\r\n \r\nb\r\n', 'a\r\n\r\n\r\nb\r\n'],
    ['bare CR and LF are octets like others', 'simple', 'a\rb\nc\r\r\n\n', 'a\rb\nc\r\r\n\n\r\n'],
    ['a CR at the end', 'simple', 'a\r', 'a\r\r\n'],
    ['octets of UTF-8 that other alphabets take for a space', 'relaxed', 'a\xc3\xa0  b\r\n', 'a\xc3\xa0 b\r\n'],
  ] as const)('%s', (_label, form, body, canonical) => {
    expect(bodyHash(form, [body])).toEqual({ hash: sha256(canonical), length: canonical.length })
  })

  test('does not depend on how a body comes in pieces', () => {
    const octet = fc.constantFrom('a', ' ', '\t', '\r', '\n', '\r\n', '\r\n\r\n', 'é')
    const form = fc.constantFrom('simple' as const, 'relaxed' as const)
    fc.assert(
      fc.property(form, fc.array(octet), fc.array(fc.nat(40)), (how, parts, cuts) => {
        const text = parts.join('')
        const at = [0, ...cuts.filter((cut) => cut < text.length).toSorted((one, other) => one - other), text.length]
        const pieces = at.slice(1).map((end, index) => text.slice(at[index], end))
        expect(bodyHash(how, pieces)).toEqual(bodyHash(how, [text]))
      }),
    )
  })

  test('a line as long as the message, and a body of blanks or empty lines, cost as much as any other', () => {
    for (const filling of ['a', ' ', '\r\n', '\r', '\n']) {
      const piece = Buffer.from(filling.repeat(32_768 / filling.length))
      const hash = new BodyHash('relaxed')
      for (let count = 0; count < 256; count += 1) hash.update(piece)
      expect(hash.finish().hash).toHaveLength(44)
    }
  })
})

describe('fields (RFC 6376 section 3.4)', () => {
  test.each([
    ['the example of section 3.4.5', 'relaxed', 'A: X\r\n', 'a:X'],
    ['its second field', 'relaxed', 'B : Y\t\r\n\tZ  \r\n', 'b:Y Z'],
    ['as it came', 'simple', 'B : Y\t\r\n\tZ  \r\n', 'B : Y\t\r\n\tZ  '],
    ['a value of blanks', 'relaxed', 'C: \t \r\n', 'c:'],
    ['octets of UTF-8', 'relaxed', 'Subject: caff\xc3\xa0 \xc2\xa0\r\n', 'subject:caff\xc3\xa0 \xc2\xa0'],
  ] as const)('%s', (_label, form, field, expected) => {
    expect(canonicalField(field, form)).toBe(expected)
  })

  test.each([
    ['in the middle', 'D: a=1; b=xx\r\n yy ; bh=zz\r\n', 'D: a=1; b=; bh=zz\r\n'],
    ['at the end', 'D: bh=zz;\r\n\tb = xx\r\n yy\r\n', 'D: bh=zz;\r\n\tb =\r\n'],
    ['with a semicolon behind', 'D: b=xx;\r\n', 'D: b=;\r\n'],
    ['not of others', 'D: bh=xx; db=yy\r\n', 'D: bh=xx; db=yy\r\n'],
  ])('a signature does not sign its own value: %s', (_label, field, expected) => {
    expect(withoutSignature(field)).toBe(expected)
  })
})
