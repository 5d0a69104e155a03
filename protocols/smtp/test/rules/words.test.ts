// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { foldText, Words } from '../../src/rules/words.js'

const isIn = (word: string, text: string) => new Words([word]).in(foldText(text)) !== undefined

describe('words', () => {
  test.each([
    ['within signs', 'contoso', ' Contoso.', true],
    ['with a letter in front', 'contoso', 'Acontoso', false],
    ['with a letter behind', 'contoso', 'contosos', false],
    ['with a digit behind', 'contoso', 'contoso1', false],
    ['with an underscore behind', 'contoso', 'contoso_1', true],
    ['at both ends of the text', 'contoso', 'contoso', true],
    ['with a letter of two code units in front', 'contoso', '\u{1d400}contoso', false],
    ['with a picture in front', 'contoso', '\u{1f4e7}contoso', true],
    ['with a combining mark behind', 'cafe', 'cafe\u0301', false],
    ['composed in one way and another', 'caf\u00e9', 'CAFE\u0301', true],
    ['that is a sign', '%', '50%', true],
    ['that ends with a sign', 'c++', 'C++x', true],
    ['that ends with a sign, within a word', 'c++', 'abc++', false],
    ['that begins with a sign', '.exe', 'setup.exe', true],
    ['of a domain in an address', 'example.org', 'bob@example.org', true],
    ['of a local part in an address', 'bob', 'bob@example.org', true],
    ['of a whole address', 'bob@example.org', '<BOB@EXAMPLE.ORG>', true],
    ['of a whole address that is longer', 'bob@example.org', 'jimbob@example.org', false],
    ['of a whole address with a sign in front', 'bob@example.org', 'jim-bob@example.org', true],
    ['with a no-break space in it', 'free money', 'free\u00a0money', true],
    ['over lines', 'free money', 'free\r\n\tmoney', true],
    ['that looks like a pattern', '(a|b)', 'x (A|B) y', true],
    ['with an asterisk', 'cont*', 'contoso', false],
    ['hidden by a soft hyphen', 'casino', 'ca\u00adsino', true],
    ['hidden by a zero-width joiner', 'casino', 'ca\u200dsino', true],
  ])('a word %s', (_label, word, text, found) => {
    expect(isIn(word, text)).toBe(found)
  })

  test('letters with marks without end are looked through in no time', () => {
    const marks = '\u0315\u0300'.repeat(250_000)
    expect(isIn('casino', `a${marks} casino`)).toBe(true)
    expect(isIn('casino', `casino${marks}`)).toBe(false)
  }, 60_000)

  test('a word is in every text that holds it between signs', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9äß]{1,12}$/), fc.string(), fc.string(), (word, before, behind) => {
        expect(isIn(word, `${before} ${word.toUpperCase()}, ${behind}`)).toBe(isIn(word, word.toUpperCase()))
      }),
    )
  })

  test('a word is in no text in which letters are at its sides', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-m]{1,8}$/), fc.stringMatching(/^[n-z]{1,8}$/), (word, other) => {
        expect(isIn(word, `${other}${word}${other}`)).toBe(false)
      }),
    )
  })
})
