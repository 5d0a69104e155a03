// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodedText, headerField } from '../../../src/agents/header-text.js'
import { opinionOf, type ReplyPolicy, readReply } from '../../../src/agents/rspamd/reply.js'
import { editHeader, parseHeader } from '../../../src/message/header-fields.js'

const SECTION = Buffer.from('Subject: hello\r\nX-Spam: no\r\nX-Old: 1\r\nX-Old: 2\r\nX-Old: 3\r\n\r\n')

const POLICY = { sclFrom: [1, 2, 3, 4, 6, 8, 10, 12, 15], hasQuarantine: false }

/** What becomes of the header section, or the refusal. */
function outcome(reply: object): string {
  const fields = parseHeader(SECTION, 'plain')
  const opinion = opinionOf(readReply(JSON.stringify({ score: 7.125, ...reply })), fields, POLICY)
  if ('reply' in opinion) return `${opinion.reply.code} ${opinion.reply.enhanced} ${opinion.reply.lines[0]}`
  if (opinion.kind !== 'pass' || opinion.edits === undefined) return opinion.kind
  return Buffer.concat(editHeader(SECTION, fields, [opinion.edits], 'plain')).toString('latin1')
}

const KEPT = 'Subject: hello\r\nX-Old: 1\r\nX-Old: 2\r\nX-Old: 3\r\n\r\n'
const MARKED = 'X-Spam: yes\r\nX-Spam-Score: 7.13\r\n'

describe('what an answer means', () => {
  test.each([
    ['no action: a mark of others is taken off', { action: 'no action' }, KEPT],
    ['greylist: it says soft reject when it wants the message again', { action: 'greylist' }, KEPT],
    ['add header', { action: 'add header' }, `${MARKED}${KEPT}`],
    ['quarantine', { action: 'quarantine' }, `${MARKED}${KEPT}`],
    ['rewrite subject, without a new one', { action: 'rewrite subject' }, `${MARKED}${KEPT}`],
    [
      'rewrite subject',
      { action: 'rewrite subject', subject: '*** SPAM *** hello' },
      `${MARKED}Subject: *** SPAM *** hello\r\n${KEPT.replace('Subject: hello\r\n', '')}`,
    ],
    ['an action of the site', { action: 'tag it' }, KEPT],
    ['reject', { action: 'reject' }, '554 5.7.1 Message refused as spam'],
    [
      'reject, in its words',
      { action: 'reject', messages: { smtp_message: 'Gtube pattern' } },
      '554 5.7.1 Gtube pattern',
    ],
    [
      'reject, in words with a code of their own',
      { action: 'reject', messages: { smtp_message: '550 5.7.0 No\r\n250 OK' } },
      '554 5.7.1 No??250 OK',
    ],
    ['discard: nothing vanishes', { action: 'discard' }, '554 5.7.1 Message refused as spam'],
    ['soft reject', { action: 'soft reject' }, '451 4.7.1 Try again later'],
    [
      'soft reject, in its words',
      { action: 'soft reject', messages: { smtp_message: 'Ratelimit exceeded' } },
      '451 4.7.1 Ratelimit exceeded',
    ],
  ])('%s', (_label, reply, expected) => {
    expect(outcome(reply)).toBe(expected)
  })

  test.each([
    ['no JSON', 'hello'],
    ['no object', '[]'],
    ['no action', '{"score":1}'],
    ['no score', '{"action":"no action"}'],
  ])('%s is no answer', (_label, text) => {
    expect(() => readReply(text)).toThrow()
  })
})

describe('what is remembered of an answer', () => {
  const judged = (reply: object, policy: Partial<ReplyPolicy> = {}) =>
    opinionOf(readReply(JSON.stringify({ score: 7.125, ...reply })), parseHeader(SECTION, 'plain'), {
      ...POLICY,
      ...policy,
    })

  test.each([
    ['nothing below the first', 0.99, undefined],
    ['the first', 1, 1],
    ['between two', 7.5, 5],
    ['the last', 15, 9],
    ['far above', 1_000, 9],
    ['less than nothing', -10, undefined],
  ])('the spam confidence level: %s', (_label, score, scl) => {
    for (const action of ['no action', 'add header', 'reject'])
      expect(judged({ action, score })).toMatchObject(scl === undefined ? {} : { notes: { scl } })
    if (scl === undefined) expect(judged({ action: 'no action', score })).not.toHaveProperty('notes')
  })

  test('no level where the site wants none', () => {
    expect(judged({ action: 'reject', score: 20 }, { sclFrom: [] })).not.toHaveProperty('notes')
  })

  test.each([
    ['no symbols', undefined, 'score 7.13'],
    ['those that count, the heaviest first', { A: { score: 1 }, B: { score: 3 }, C: { score: -2 } }, 'score 7.13: B A'],
    [
      'ten at most',
      Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`S${at}`, { score: 40 - at }])),
      /: S0 S1 .* S9$/,
    ],
    ['a name of other letters', { 'é\r\n': { score: 1 } }, 'score 7.13: ???'],
    ['a long name', { ['x'.repeat(900)]: { score: 1 } }, `score 7.13: ${'x'.repeat(50)}`],
    ['what cannot be read', { A: 7, B: null, C: { score: '9' } }, 'score 7.13'],
    ['no object', 'text', 'score 7.13'],
  ])('the reason of a finding: %s', (_label, symbols, expected) => {
    const opinion = judged({ action: 'reject', symbols })
    expect(opinion.kind === 'against' ? opinion.reason : '').toMatch(expected)
  })

  test('what it wants in quarantine is a finding where there is one, and marked elsewhere', () => {
    expect(judged({ action: 'quarantine' }, { hasQuarantine: true }).kind).toBe('against')
    expect(judged({ action: 'quarantine' }).kind).toBe('pass')
  })

  test('what goes on in spite of it has our marks and not those it brought along', () => {
    const opinion = judged({ action: 'reject' })
    const edits = opinion.kind === 'against' && opinion.edits !== undefined ? [opinion.edits] : []
    const header = Buffer.concat(editHeader(SECTION, parseHeader(SECTION, 'plain'), edits, 'plain'))
    expect(header.toString()).toBe(`${MARKED}${KEPT}`)
  })
})

describe('fields that it adds and removes', () => {
  const added = (add: object) => outcome({ action: 'no action', milter: { add_headers: add } }).replace(KEPT, '')
  const removed = (places: unknown) =>
    outcome({ action: 'no action', milter: { remove_headers: { 'X-Old': places } } }).match(/(?<=X-Old: )\d/g) ?? []

  test.each([
    ['a value', { 'X-New': 'a' }, 'X-New: a\r\n'],
    ['a value with its place', { 'X-New': { value: 'a', order: 1 } }, 'X-New: a\r\n'],
    ['several', { 'X-New': [{ value: 'a' }, 'b'] }, 'X-New: a\r\nX-New: b\r\n'],
    ['a folded value', { 'X-New': 'a\n\tb' }, 'X-New: a\r\n\tb\r\n'],
    ['a value of other letters', { 'X-New': 'é' }, 'X-New: =?UTF-8?B?w6k=?=\r\n'],
    ['no mark, which is ours to make', { 'x-spam': 'no' }, ''],
    ['nothing that would be two fields', { 'X-New': 'a\r\nX-Other: b' }, ''],
    ['nothing that would end the section', { 'X-New': 'a\r\n\r\nbody' }, ''],
    ['no name that is none', { 'X New': 'a', 'X-A:': 'a', '.X': 'a', '': 'a' }, ''],
  ])('%s', (_label, add, expected) => {
    expect(added(add)).toBe(expected)
  })

  test.each([
    ['all of a name', 0, []],
    ['the first', 1, ['2', '3']],
    ['the last', -1, ['1', '2']],
    ['the second', 2, ['1', '3']],
    ['several', [1, -1], ['2']],
    ['one that is not there', 9, ['1', '2', '3']],
  ])('%s goes', (_label, places, expected) => {
    expect(removed(places)).toEqual(expected)
  })

  test('a signature is put in front', () => {
    const signed = outcome({ action: 'no action', 'dkim-signature': 'v=1; a=rsa-sha256;\r\n\tb=abc' })
    expect(signed).toBe(`DKIM-Signature: v=1; a=rsa-sha256;\r\n\tb=abc\r\n${KEPT}`)
  })

  test('more than there is room for is dropped', () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`X-N${n}`, 'a']))
    expect(added(many).split('\r\n')).toHaveLength(51)
    const long = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`X-N${n}`, 'a'.repeat(900)]))
    expect(added(long).length).toBeLessThanOrEqual(32 * 1024)
  })

  test('what cannot be read of them does not hide the action', () => {
    expect(outcome({ action: 'reject', milter: { add_headers: 7 } })).toBe('554 5.7.1 Message refused as spam')
    expect(outcome({ action: 'reject', milter: 7, messages: 7, 'dkim-signature': 7 })).toBe(
      '554 5.7.1 Message refused as spam',
    )
  })
})

test('whatever it says, what is added are whole fields and no end of the section', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', ' ', '\t', '\r', '\n', ':', 'é', '\0') }))
  const field = fc.oneof(text, fc.record({ value: text }), fc.array(text, { maxLength: 3 }))
  const reply = fc.record({
    action: fc.constantFrom('no action', 'add header', 'rewrite subject'),
    score: fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
    subject: text,
    milter: fc.record({ add_headers: fc.dictionary(fc.oneof(text, fc.constantFrom('X-New', 'Subject')), field) }),
    'dkim-signature': text,
  })
  fc.assert(
    fc.property(reply, (said) => {
      const edited = Buffer.from(outcome(said), 'latin1')
      const fields = parseHeader(edited, 'plain')
      expect(fields.faulty).toBe(false)
      expect([...fields].every(({ name }) => name !== '')).toBe(true)
      expect(edited.indexOf('\r\n\r\n')).toBe(edited.length - 4)
    }),
  )
})

test('a line over its limit is no field (RFC 5322 section 2.1.1)', () => {
  expect(headerField('X-A', 'a'.repeat(993))).toHaveLength(1_000)
  expect(headerField('X-A', 'a'.repeat(994))).toBeUndefined()
})

test('encoded words are short, whole characters, and come back as they were (RFC 2047)', () => {
  const text = 'Grüße 💌 '.repeat(20)
  const words = encodedText(text).split('\r\n ')
  expect(words.every((word) => word.length <= 75)).toBe(true)
  const back = words.map((word) => Buffer.from(word.slice(10, -2), 'base64').toString('utf8'))
  expect(back.join('')).toBe(text)
  expect(back.some((part) => part.includes('\ufffd'))).toBe(false)
})
