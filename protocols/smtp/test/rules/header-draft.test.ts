// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mailboxOf } from '../../src/address.js'
import { decodeWords } from '../../src/content/encoded-words.js'
import { editHeader, parseHeader } from '../../src/message/header-fields.js'
import { addressesOf } from '../../src/rules/address.js'
import { HeaderDraft } from '../../src/rules/header-draft.js'

/** A header section after a change. */
function changed(section: string, change: (draft: HeaderDraft) => void): string {
  const octets = Buffer.from(section, 'latin1')
  const fields = parseHeader(octets, 'plain')
  const draft = new HeaderDraft(fields)
  change(draft)
  const edits = draft.edits()
  return Buffer.concat(editHeader(octets, fields, edits === undefined ? [] : [edits], 'plain')).toString('latin1')
}

const ascii = fc.stringMatching(/^[!-~]([ -~]{0,200}[!-~])?$/).filter((text) => !text.includes('=?'))
const unicode = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => /^[^\p{C}\s]+$/u.test(text))

describe('a subject with a prefix', () => {
  test('reads as the prefix and what was there, in lines that any reader takes', () => {
    fc.assert(
      fc.property(ascii, ascii, (prefix, subject) => {
        fc.pre(!subject.toLowerCase().startsWith(prefix.toLowerCase()))
        const text = changed(`Subject: ${subject}\r\n\r\n`, (draft) => draft.prependSubject(`${prefix} `))
        const [field] = parseHeader(Buffer.from(text, 'latin1'), 'plain').list
        expect(field?.text().replace(/\s+/g, ' ')).toBe(`${prefix} ${subject}`.replace(/\s+/g, ' '))
        expect(text.split('\r\n').filter((line) => line.length > 76 && /\S\s+\S/.test(line.slice(9)))).toEqual([])
      }),
    )
  })

  test('reads so in any language, however the subject is encoded', () => {
    const encoded = (text: string) => `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`
    fc.assert(
      fc.property(unicode, unicode, (prefix, subject) => {
        fc.pre(!subject.toLowerCase().startsWith(prefix.toLowerCase()))
        const text = changed(`Subject: ${encoded(subject)}\r\n\r\n`, (draft) => draft.prependSubject(`${prefix} `))
        const [field] = parseHeader(Buffer.from(text, 'latin1'), 'plain').list
        expect(decodeWords(field?.text() ?? '')).toBe(`${prefix} ${subject}`)
      }),
    )
  })

  test('has it once, however often the rule is met', () => {
    fc.assert(
      fc.property(unicode, unicode, (prefix, subject) => {
        const once = changed(`Subject: ${subject}\r\n\r\n`, (draft) => draft.prependSubject(prefix))
        expect(changed(once, (draft) => draft.prependSubject(prefix))).toBe(once)
      }),
    )
  })

  test('is folded at blanks and nowhere else', () => {
    const raw = Buffer.from('voilà à '.repeat(40).trimEnd()).toString('latin1')
    const text = changed(`Subject: ${raw}\r\n\r\n`, (draft) => draft.prependSubject('[x] '))
    const [field] = parseHeader(Buffer.from(text, 'latin1'), 'plain').list
    expect(field?.text()).toBe(`[x] ${raw}`)
  })

  test('octets of the subject stay as they came', () => {
    const raw = Buffer.from('grüße').toString('latin1')
    expect(changed(`Subject: ${raw}\r\n\r\n`, (draft) => draft.prependSubject('[x] '))).toBe(
      `Subject: [x] ${raw}\r\n\r\n`,
    )
  })
})

describe('a field of addresses', () => {
  const carol = mailboxOf('carol@example.org')
  const name = (draft: HeaderDraft) => draft.nameIn('To', carol === undefined ? [] : [carol])

  test.each([
    ['none', '', ['carol@example.org']],
    ['one', 'To: Bob <bob@example.org>\r\n', ['bob@example.org', 'carol@example.org']],
    ['one with a comma behind it', 'To: bob@example.org,\r\n', ['bob@example.org', 'carol@example.org']],
    ['an empty one', 'To:\r\n', ['carol@example.org']],
    ['an empty group', 'To: undisclosed-recipients:;\r\n', ['carol@example.org']],
    ['one that names her', 'To: "C" <CAROL@example.org>\r\n', ['CAROL@example.org']],
  ])('names somebody beside %s', (_label, section, named) => {
    const fields = parseHeader(Buffer.from(changed(`${section}\r\n`, name), 'latin1'), 'plain')
    expect(fields.list.filter((field) => field.name === 'to')).toHaveLength(1)
    expect(addressesOf(fields.first('to')?.text() ?? '').map(({ text }) => text)).toEqual(named)
  })

  test('a long one is folded and says the same', () => {
    const many = Array.from({ length: 50 }, (_, index) => `"Person, number ${index}" <p${index}@example.org>`)
    const text = changed(`To: ${many.join(',\r\n ')}\r\n\r\n`, name)
    const fields = parseHeader(Buffer.from(text, 'latin1'), 'plain')
    expect(addressesOf(fields.first('to')?.text() ?? '')).toHaveLength(51)
    expect(text.split('\r\n').every((line) => line.length <= 100)).toBe(true)
  })
})
