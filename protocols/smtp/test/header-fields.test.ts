// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { editHeader, hopsOf, type LineForm, parseHeader } from '../src/message/header-fields.js'

function fieldsOf(text: string, form: LineForm = 'plain') {
  return parseHeader(Buffer.from(text, 'latin1'), form)
}

describe('fields of a header section (RFC 5322 section 2.2)', () => {
  test.each<[string, string, readonly [name: string, text: string][]]>([
    ['a field', 'Subject: hi\r\n\r\n', [['subject', 'hi']]],
    ['a folded field', 'Subject: a\r\n b\r\n\tc\r\n\r\n', [['subject', 'a b\tc']]],
    ['white space before the colon (section 4.5)', 'SUBJECT \t: hi\r\n\r\n', [['subject', 'hi']]],
    ['no space after the colon', 'To:a@b\r\n\r\n', [['to', 'a@b']]],
    ['an empty value', 'Bcc:\r\n\r\n', [['bcc', '']]],
    ['an empty name', ': x\r\n\r\n', [['', 'x']]],
    ['a bare colon', ':\r\n\r\n', [['', '']]],
    [
      'a line that is no field',
      'Hello\r\nTo: x\r\n\r\n',
      [
        ['', 'Hello'],
        ['to', 'x'],
      ],
    ],
    ['a name with a space inside', 'Hi you: x\r\n\r\n', [['', 'x']]],
    ['an 8-bit name', 'S\xfcbject: x\r\n\r\n', [['', 'x']]],
    [
      'an octet at the end that is white space in Latin-1',
      'Subject: voil\xc3\xa0 \r\n\r\n',
      [['subject', 'voil\xc3\xa0']],
    ],
    ['colons in the value', 'Date: 10:00:00\r\n\r\n', [['date', '10:00:00']]],
    [
      'no empty line',
      'To: x\r\nCc: y\r\n',
      [
        ['to', 'x'],
        ['cc', 'y'],
      ],
    ],
    ['no CRLF at the end', 'To: x', [['to', 'x']]],
    ['only the empty line', '\r\n', []],
    ['nothing', '', []],
    [
      'a fold before any field',
      ' x\r\nTo: y\r\n\r\n',
      [
        ['', 'x'],
        ['to', 'y'],
      ],
    ],
    ['a name folded before its colon', 'To\r\n : x\r\n\r\n', [['to', 'x']]],
    [
      'a line of white space continues',
      'To: x\r\n \r\nCc: y\r\n\r\n',
      [
        ['to', 'x'],
        ['cc', 'y'],
      ],
    ],
  ])('%s', (_label, text, expected) => {
    expect(fieldsOf(text).list.map((field) => [field.name, field.text()])).toEqual(expected)
  })

  test('dots of the DATA form are no part of names and values (RFC 5321 section 4.5.2)', () => {
    const { list } = fieldsOf('.To: x\r\n. y\r\n..Cc: z\r\n\r\n', 'data')
    expect(list.map((field) => [field.name, field.text()])).toEqual([
      ['to', 'x y'],
      ['.cc', 'z'],
    ])
    expect(fieldsOf('.To: x\r\n\r\n').list.map((field) => field.name)).toEqual(['.to'])
  })

  test.each<[string, string, boolean]>([
    ['lines', 'A: b\r\n\r\n', false],
    ['a bare LF', 'A: b\nX: y\r\n\r\n', true],
    ['a bare CR', 'A: b\rX: y\r\n\r\n', true],
    ['a CR at the end', 'A: b\r', true],
    ['a NUL', 'A: b\0\r\n\r\n', true],
  ])('faulty: %s', (_label, text, faulty) => {
    expect(fieldsOf(text).faulty).toBe(faulty)
  })
})

describe('hops (RFC 5321 section 6.3)', () => {
  test.each<[string, string, number]>([
    ['none', 'Subject: x\r\n\r\n', 0],
    ['two, in any case', 'Received: a\r\nrEcEiVeD: b\r\n\r\n', 2],
    ['obsolete white space in front of the colon', 'Received \t: a\r\n\r\n', 1],
    ['folded lines do not count', 'Received: a\r\n Received: b\r\n\r\n', 1],
    ['longer names do not count', 'Received-SPF: pass\r\nReceivedX: b\r\n\r\n', 0],
    ['a message without a header', '\r\n', 0],
  ])('%s', (_label, text, hops) => {
    expect(hopsOf(fieldsOf(text))).toBe(hops)
  })
})

describe('edits', () => {
  const edited = (text: string, remove: RegExp, prepend: readonly string[] = [], form: LineForm = 'plain') => {
    const section = Buffer.from(text, 'latin1')
    const edit = { remove: (field: { readonly name: string }) => remove.test(field.name), prepend }
    return Buffer.concat(editHeader(section, parseHeader(section, form), [edit], form)).toString('latin1')
  }

  test.each<[string, string, string]>([
    ['nothing to remove', 'A: 1\r\nB: 2\r\n\r\n', 'A: 1\r\nB: 2\r\n\r\n'],
    ['the first', 'X: 1\r\n 2\r\nB: 2\r\n\r\n', 'B: 2\r\n\r\n'],
    ['the last', 'A: 1\r\nx: 2\r\n\r\n', 'A: 1\r\n\r\n'],
    ['all', 'X: 1\r\nX: 2\r\n\r\n', '\r\n'],
    ['some between', 'A: 1\r\nX: 2\r\nX: 3\r\nB: 4\r\n\r\n', 'A: 1\r\nB: 4\r\n\r\n'],
  ])('%s', (_label, text, expected) => {
    expect(edited(text, /^x$/)).toBe(expected)
  })

  test('fields are put in front in their order', () => {
    expect(edited('A: 1\r\n\r\n', /^x$/, ['R: 1\r\n', 'S: 2\r\n'])).toBe('R: 1\r\nS: 2\r\nA: 1\r\n\r\n')
  })

  test.each<LineForm>(['plain', 'data'])(
    'a first line that begins with white space continues nothing of ours (%s)',
    (form) => {
      const dot = form === 'data' ? '.' : ''
      expect(edited(`${dot} x\r\nA: 1\r\n\r\n`, /^x$/, ['R: 1\r\n'], form)).toBe(`R: 1\r\n\r\n${dot} x\r\nA: 1\r\n\r\n`)
    },
  )
})

test.each([
  ['as many as are read', 5_000, '\r\n', false],
  ['one more', 5_001, '\r\n', true],
  ['one more, and no empty line', 5_001, '', true],
  ['a line that is no field counts', 5_000, 'x\r\n\r\n', true],
  ['a line that continues one does not', 5_000, ' x\r\n\r\n', false],
])('more than 5,000 fields are not read: %s', (_label, count, rest, tooMany) => {
  const fields = fieldsOf('a\r\n'.repeat(count) + rest)
  expect(fields.tooMany).toBe(tooMany)
})
