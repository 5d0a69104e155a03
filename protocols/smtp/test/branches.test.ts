// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { REPLIES, say } from '../src/replies.js'
import { branchFor } from '../src/transaction/branches.js'
import type { Branch, Envelope } from '../src/transaction/envelope.js'
import { oneAnswer } from '../src/transaction/verdicts.js'
import type { Way } from '../src/transaction/way.js'

const way = (key: string) => ({ key }) as Way
const branch = (key: string, recipients: number, dialect: 'smtp' | 'lmtp' = 'smtp', over = false) =>
  ({ way: way(key), recipients, backend: { dialect, over } }) as Branch
const ONE = { many: false, sameBackend: false }
const MANY = { many: true, sameBackend: false }
const SAME = { many: false, sameBackend: true }

describe('where a recipient is asked for', () => {
  test.each<[string, Branch[], typeof ONE, unknown]>([
    ['the first one begins a branch', [], ONE, 'new'],
    ['its own branch', [branch('a', 1)], ONE, 0],
    ['a second route in a message with one answer', [branch('b', 1)], ONE, REPLIES.otherRoute],
    ['a second route where nobody was accepted on the first', [branch('b', 0)], ONE, 'new'],
    ['a second route that the first backend relays to', [branch('b', 1)], SAME, 0],
    ['a second route that an LMTP backend does not relay to', [branch('b', 1, 'lmtp')], SAME, REPLIES.otherRoute],
    ['a second route where there may be many', [branch('b', 1)], MANY, 'new'],
    [
      'a person beside a telephone, whose gateway would relay to anybody',
      [{ ...branch('b', 1), way: { ...way('b'), forCalls: true } }],
      SAME,
      REPLIES.otherRoute,
    ],
    ['a second recipient in LMTP', [branch('a', 1, 'lmtp')], ONE, REPLIES.otherRoute],
    ['a second recipient in LMTP where there may be many', [branch('a', 1, 'lmtp')], MANY, 0],
    ['a backend that is gone with its recipients', [branch('a', 1, 'smtp', true)], ONE, REPLIES.backendTrouble],
    ['another route beside one that is gone', [branch('b', 1, 'smtp', true)], ONE, REPLIES.backendTrouble],
    ['a backend that is gone and had nobody', [branch('a', 0, 'smtp', true)], ONE, 'new'],
    [
      'more backends than one message may have',
      Array.from({ length: 16 }, (_, at) => branch(`b${at}`, 1)),
      MANY,
      REPLIES.otherRoute,
    ],
  ])('%s', (_label, branches, rules, expected) => {
    const envelope = { branches: [...branches] } as unknown as Envelope
    const choice = branchFor(envelope, way('a'), rules)
    const found =
      choice.kind === 'branch' ? branches.indexOf(choice.branch) : choice.kind === 'refused' ? choice.reply : 'new'
    expect(found).toEqual(expected)
  })
})

describe('one answer for several recipients', () => {
  const [taken, later, never] = [say(250, '2.0.0', 'a'), say(452, '4.2.2', 'b'), say(550, '5.2.1', 'c')]
  test.each([
    ['all have it', [taken, taken], taken],
    ['one is put off: all come again', [taken, never, later], later],
    ['one is refused', [taken, never], never],
  ])('%s', (_label, replies, expected) => {
    expect(oneAnswer(replies)).toBe(expected)
  })
})
