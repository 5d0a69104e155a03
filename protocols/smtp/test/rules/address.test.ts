// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { addressesOf } from '../../src/rules/address.js'

const texts = (raw: string) => addressesOf(raw).map(({ text }) => text)

describe('addresses of a header field (RFC 5322 section 3.4)', () => {
  test.each([
    ['for itself', 'a@example.org', ['a@example.org']],
    ['with a name', 'Alice Ant <a@example.org>', ['a@example.org']],
    ['with a quoted name with everything in it', '"a@b, <c@d>; (x" <a@example.org>', ['a@example.org']],
    ['with a comment', 'a@example.org (b@example.net (c@d))', ['a@example.org']],
    [
      'of several',
      'a@example.org, B <b@example.org>,c@example.org',
      ['a@example.org', 'b@example.org', 'c@example.org'],
    ],
    ['of a group', 'Team: a@example.org, b@example.org;', ['a@example.org', 'b@example.org']],
    ['of an empty group', 'undisclosed-recipients:;', []],
    ['with a route (section 4.4)', '<@x.example,@y.example:a@example.org>', ['a@example.org']],
    ['with a quoted local part', '"a b"@example.org', ['a b@example.org']],
    ['with white space around its dots (section 4.4)', '< a . b @ example . org >', ['a.b@example.org']],
    ['without a domain', 'alice', []],
    ['without a closing bracket', 'A <a@example.org', ['a@example.org']],
    ['beyond ASCII', Buffer.from('jörg@bücher.example').toString('latin1'), ['jörg@bücher.example']],
    ['of nobody', '', []],
  ])('%s', (_label, raw, expected) => {
    expect(texts(raw)).toEqual(expected)
  })

  test('a domain has one form', () => {
    expect(addressesOf(Buffer.from('a@BÜCHER.example.').toString('latin1')).map(({ domain }) => domain)).toEqual(
      addressesOf('b@xn--bcher-kva.EXAMPLE').map(({ domain }) => domain),
    )
  })
})

test('a domain of marks without end costs next to nothing', () => {
  const domain = `a${'\u0315\u0300'.repeat(250_000)}.example`
  expect(addressesOf(Buffer.from(`<eve@${domain}>`).toString('latin1'))).toEqual([{ text: `eve@${domain}`, domain }])
}, 60_000)
