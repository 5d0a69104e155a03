// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { MilterFault, readAnswer } from '../../../src/agents/milter/answers.js'
import { HeaderPlan } from '../../../src/agents/milter/header-plan.js'
import { editHeader, parseHeader } from '../../../src/message/header-fields.js'

const SECTION = Buffer.from('Subject: hello\r\nX-A: 1\r\nx-a: 2\r\nTo: a\r\n\r\n')

type Wish = readonly ['add', string, string] | readonly ['insert' | 'change', number, string, string]

function frameOf(wish: Wish): Buffer {
  if (wish[0] === 'add') return Buffer.from(`h${wish[1]}\0${wish[2]}\0`)
  const [kind, index, name, value] = wish
  const place = Buffer.alloc(4)
  place.writeUInt32BE(index)
  return Buffer.concat([Buffer.from(kind === 'insert' ? 'i' : 'm'), place, Buffer.from(`${name}\0${value}\0`)])
}

function after(...wishes: Wish[]): string {
  const fields = parseHeader(SECTION, 'plain')
  const plan = new HeaderPlan(fields)
  for (const wish of wishes) plan.apply(readAnswer(frameOf(wish)) as Parameters<HeaderPlan['apply']>[0])
  const edits = plan.edits()
  return Buffer.concat(editHeader(SECTION, fields, edits === undefined ? [] : [edits], 'plain')).toString()
}

const REST = 'Subject: hello\r\nX-A: 1\r\nx-a: 2\r\nTo: a\r\n\r\n'

describe('what a milter makes of a header section', () => {
  test.each<[string, Wish[], string]>([
    ['nothing', [], REST],
    ['a new field', [['add', 'X-B', 'b']], `X-B: b\r\n${REST}`],
    ['its own white space behind the colon counts once', [['add', 'X-B', ' b']], `X-B: b\r\n${REST}`],
    ['a new field of two lines', [['add', 'X-B', 'b\n\tc']], `X-B: b\r\n\tc\r\n${REST}`],
    ['a new field of other letters', [['add', 'X-B', 'é']], `X-B: =?UTF-8?B?w6k=?=\r\n${REST}`],
    [
      'new fields keep their order',
      [
        ['add', 'X-C', 'c'],
        ['insert', 0, 'X-B', 'b'],
      ],
      `X-B: b\r\nX-C: c\r\n${REST}`,
    ],
    ['the first of a name', [['change', 1, 'X-A', '9']], `X-A: 9\r\n${REST.replace('X-A: 1\r\n', '')}`],
    [
      'the second of a name, in any case of letters',
      [['change', 2, 'X-a', '9']],
      `X-a: 9\r\n${REST.replace('x-a: 2\r\n', '')}`,
    ],
    ['place 0 is the first', [['change', 0, 'X-A', '']], REST.replace('X-A: 1\r\n', '')],
    ['a field goes', [['change', 1, 'Subject', '']], REST.replace('Subject: hello\r\n', '')],
    ['one that is not there does not go', [['change', 3, 'X-A', '']], REST],
    ['one that is not there is added', [['change', 3, 'X-A', '3']], `X-A: 3\r\n${REST}`],
    [
      'after one has gone the second is the first',
      [
        ['change', 1, 'X-A', ''],
        ['change', 1, 'X-A', ''],
      ],
      REST.replace(/X-A: .\r\n/gi, ''),
    ],
    [
      'a field of its own goes, too',
      [
        ['add', 'X-B', 'b'],
        ['change', 1, 'X-B', ''],
      ],
      REST,
    ],
    [
      'a field of its own is changed',
      [
        ['add', 'X-B', 'b'],
        ['change', 1, 'X-B', 'c'],
      ],
      `X-B: c\r\n${REST}`,
    ],
    ['no field that would be two', [['add', 'X-B', 'b\nX-C: c']], REST],
    ['no field that would end the section', [['add', 'X-B', 'b\r\n\r\nbody']], REST],
    ['no name that is none', [['add', 'X B', 'b']], REST],
  ])('%s', (_label, wishes, expected) => {
    expect(after(...wishes)).toBe(expected)
  })

  test('more than anybody needs is a fault', () => {
    expect(() => after(...Array.from({ length: 600 }, () => ['add', 'X-B', 'b'] as const))).toThrow(MilterFault)
    expect(() => after(...Array.from({ length: 300 }, () => ['add', 'X-B', 'b'.repeat(990)] as const))).toThrow(
      MilterFault,
    )
  })
})
