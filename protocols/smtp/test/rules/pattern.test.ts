// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { LARGEST_PROGRAM, LONGEST_PATTERN, patternOf } from '../../src/rules/pattern.js'

const KIB = 1024

/** Milliseconds of CPU time: what the machine does beside it does not count. */
function cost(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

describe('patterns that take others exponential or quadratic time', () => {
  test.each([
    ['nested repetition', '(a+)+$', 'a', '!'],
    ['overlapping choice', '(a|aa)+$', 'a', '!'],
    ['nested any', '(.*)*x', 'a', ''],
    ['nested any with an end', '^(.*)*x$', 'a', '!'],
    ['three repetitions', '(a*)*(a*)*b', 'a', '!'],
    ['a repetition twice', '(x+x+)+y', 'x', ''],
    ['any any', '.*.*=.*', 'x', ''],
    ['many options', '(a?){15}a{15}$', 'a', '!'],
    ['an address', '^([a-z0-9]+[._-]?)+@example\\.com$', 'a', '!'],
    ['white space at the end', '\\s+$', ' ', 'x'],
  ])('%s', (_label, source, piece, end) => {
    const pattern = patternOf(source)
    const text = piece.repeat(100 * KIB) + end
    let found = true
    // It takes some milliseconds; a backtracking engine takes years, or minutes where it is quadratic. Room for a busy machine.
    expect(cost(() => (found = pattern.isIn(text)))).toBeLessThan(2_000)
    expect(found).toBe(false)
  })

  test('the largest pattern at its worst grows with the text alone', () => {
    const pattern = patternOf(`[ab]*a[ab]{${LARGEST_PROGRAM - 20}}c`)
    let seed = 7
    const noise = Array.from({ length: 100 * KIB }, () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return seed & 65_536 ? 'a' : 'b'
    }).join('')
    expect(cost(() => pattern.isIn(noise))).toBeLessThan(5_000)
  })
})

describe('what a pattern may be', () => {
  test.each([
    ['a back-reference', '(a)\\1', /back-reference or look-around/],
    ['a named back-reference', '(?P<n>a)\\k<n>', /back-reference or look-around/],
    ['a look-ahead', 'a(?=b)', /back-reference or look-around/],
    ['a look-behind', '(?<!a)b', /back-reference or look-around/],
    ['an atomic group', '(?>a)b', /back-reference or look-around/],
    ['an open bracket', '(a', /missing closing \)/],
    ['a range the wrong way', '[z-a]', /invalid character class range/],
    ['too long', 'a'.repeat(LONGEST_PATTERN + 1), /at most 500 characters/],
    ['too large when written out', '(abcde){100}', /too large/],
    ['far too large when written out', '((a{0,99}){0,99}){0,99}', /repeat count|too large/],
  ])('not %s', (_label, source, reason) => {
    expect(() => patternOf(source)).toThrow(reason)
  })

  test.each([
    ['case does not count', 'HELLO', 'hello', true],
    ['where it says so it does', '(?-i)HELLO', 'hello', false],
    ['a dot is no line end', 'a.b', 'a\nb', false],
    ['where it says so it is', '(?s)a.b', 'a\nb', true],
    ['an end is that of the text', 'a$', 'a\nb', false],
    ['where it says so that of a line', '(?m)a$', 'a\nb', true],
    ['letters of any script', '^\\p{Greek}+$', 'ΑΒΓ', true],
    ['a boundary of words', '\\bcat\\b', 'concatenate', false],
  ])('%s', (_label, source, text, found) => {
    expect(patternOf(source).isIn(text)).toBe(found)
  })
})
