// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frameLength, MilterFault, readAnswer, readTerms } from '../../../src/agents/milter/answers.js'
import {
  argumentsFrame,
  bodyHead,
  connectFrame,
  headerFrame,
  macroFrame,
  negotiateFrame,
  textFrame,
} from '../../../src/agents/milter/commands.js'
import { ALL_STEPS, LARGEST_FRAME } from '../../../src/agents/milter/constants.js'
import { terms } from './fake-milter.js'

const latin1 = (octets: Buffer): string => octets.toString('latin1')

describe('what goes to a milter', () => {
  test.each([
    ['an offer', negotiateFrame(0x3f, 0x1f), '\0\0\0\x0dO\0\0\0\x06\0\0\0\x3f\0\0\0\x1f'],
    ['a command alone', textFrame('endOfHeaders'), '\0\0\0\x01N'],
    [
      'a client',
      connectFrame({ address: '192.0.2.7', port: 40_000, family: 4 }),
      '\0\0\0\x1aC[192.0.2.7]\x004\x9c\x40192.0.2.7\0',
    ],
    [
      'a client with IPv6',
      connectFrame({ address: '2001:db8::7', port: 25, family: 6 }),
      '\0\0\0\x23C[IPv6:2001:db8::7]\x006\0\x192001:db8::7\0',
    ],
    [
      'a client without an address',
      connectFrame({ address: '/run/x', port: 0, family: 'unix' }),
      '\0\0\0\x15Clocalhost\0L\0\0/run/x\0',
    ],
    [
      'a sender',
      argumentsFrame('mail', '<a@b.example>', 'SIZE=10', 'SMTPUTF8'),
      '\0\0\0\x20M<a@b.example>\0SIZE=10\0SMTPUTF8\0',
    ],
    ['a name with a NUL in it', argumentsFrame('helo', 'a\0b\r\nc'), '\0\0\0\x08Ha b  c\0'],
    ['a field of two lines', headerFrame('Subject', ' a\n\tb'), '\0\0\0\x0fLSubject\0 a\n\tb\0'],
    ['macros, those that are known', macroFrame('rcpt', { i: 's1', '{x}': undefined, j: '' }), '\0\0\0\x07DRi\0s1\0'],
    ['the beginning of a body', bodyHead(65_535), '\0\x01\0\0B'],
  ])('%s', (_label, sent, expected) => {
    expect(latin1(sent)).toBe(expected)
    expect(sent.readUInt32BE(0)).toBe(sent[4] === 66 ? 65_536 : sent.length - 4)
  })
})

describe('what comes from a milter', () => {
  test.each([
    ['c', { kind: 'continue' }],
    ['a', { kind: 'accept' }],
    ['r', { kind: 'reject' }],
    ['t', { kind: 'tempfail' }],
    ['d', { kind: 'discard' }],
    ['s', { kind: 'skip' }],
    ['p', { kind: 'progress' }],
    ['4', { kind: 'shutdown' }],
    ['y550 5.7.1 Spam\0', { kind: 'reply', reply: { code: 550, enhanced: '5.7.1', lines: ['Spam'] } }],
    ['y451 Later\0', { kind: 'reply', reply: { code: 451, lines: ['Later'] } }],
    ['y451\0', { kind: 'reply', reply: { code: 451, lines: [''] } }],
    ['y550 5.7.1\r\n\0', { kind: 'reply', reply: { code: 550, enhanced: '5.7.1', lines: [''] } }],
    [
      'y554-5.7.1 one\r\n554 5.7.1 two\0',
      { kind: 'reply', reply: { code: 554, enhanced: '5.7.1', lines: ['one', 'two'] } },
    ],
    ['y451 5.7.1 of another class\0', { kind: 'reply', reply: { code: 451, lines: ['of another class'] } }],
    ['hX-A\0b\0', { kind: 'add-header', name: 'X-A', value: 'b' }],
    ['i\0\0\0\x02X-A\0b\0', { kind: 'insert-header', index: 2, name: 'X-A', value: 'b' }],
    ['m\0\0\0\x01X-A\0\0', { kind: 'change-header', index: 1, name: 'X-A', value: '' }],
    ['+<a@b.example>\0', { kind: 'add-recipient', path: '<a@b.example>' }],
    ['-<a@b.example>\0', { kind: 'delete-recipient', path: '<a@b.example>' }],
    ['qlooks odd\0', { kind: 'quarantine', reason: 'looks odd' }],
    ['bhello\0', { kind: 'replace-body', octets: Buffer.from('hello\0') }],
  ])('%j', (frame, expected) => {
    expect(readAnswer(Buffer.from(frame, 'latin1'))).toEqual(expected)
  })

  test.each([
    ['nothing', ''],
    ['another letter', 'z'],
    ['a failure', 'f'],
    ['a sender, which was not offered', 'e<a@b.example>\0'],
    ['a reply that accepts', 'y250 OK\0'],
    ['a reply of another code in its second line', 'y550-a\r\n551 b\0'],
    ['a reply that is none', 'yno\0'],
    ['a reply with controls', 'y550 a\x01b\0'],
    ['a reply without an end', 'y550 a'],
    ['a reply of many lines', `y${'550-a\r\n'.repeat(40)}550 a\0`],
    ['a field without a value', 'hX-A\0'],
    ['a field that is cut off', 'hX-A\0b'],
    ['more than a field', 'hX-A\0b\0c\0'],
    ['a place that is cut off', 'm\0\0\x01'],
  ])('%s is a fault', (_label, frame) => {
    expect(() => readAnswer(Buffer.from(frame, 'latin1'))).toThrow(MilterFault)
  })

  test.each([
    ['what we offered', terms(0x3f, 0x1f), { version: 6, actions: 0x3f, steps: 0x1f }],
    ['less', terms(0x01, 0), { version: 6, actions: 1, steps: 0 }],
    ['an older version', terms(0x01, 0, 2), { version: 2, actions: 1, steps: 0 }],
    [
      'more behind it, which says which macros it wants',
      `${terms(0x01, 0)}\0\0\0\0j\0`,
      { version: 6, actions: 1, steps: 0 },
    ],
  ])('terms: %s', (_label, text, expected) => {
    expect(readTerms(Buffer.from(text, 'latin1'), { actions: 0x3f, steps: ALL_STEPS })).toEqual(expected)
  })

  test.each([
    ['a newer version', terms(1, 0, 7)],
    ['a version from before all', terms(1, 0, 1)],
    ['an action too many', terms(0x41)],
    ['a step too many', terms(1, 0x8000_0000)],
    ['no options', 'c'],
    ['half of them', terms(1).slice(0, 9)],
  ])('terms: %s is a fault', (_label, text) => {
    expect(() => readTerms(Buffer.from(text, 'latin1'), { actions: 0x3f, steps: ALL_STEPS })).toThrow(MilterFault)
  })

  test.each([0, LARGEST_FRAME + 1, 0xffff_ffff])('a frame of %d octets is a fault', (length) => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(length)
    expect(() => frameLength(head)).toThrow(MilterFault)
  })

  test('whatever it sends is an answer or a fault', () => {
    const letters = fc.constantFrom(...'acdprst4yhim+-bqOef')
    const text = fc.string({
      unit: fc.constantFrom('5', '0', ' ', '-', '.', 'a', '\0', '\r', '\n', '\xff'),
      maxLength: 40,
    })
    fc.assert(
      fc.property(letters, text, (letter, rest) => {
        try {
          const answer = readAnswer(Buffer.from(letter + rest, 'latin1'))
          if (answer.kind === 'reply') expect(answer.reply.code).toBeGreaterThanOrEqual(400)
        } catch (error) {
          expect(error).toBeInstanceOf(MilterFault)
        }
      }),
    )
  })
})
