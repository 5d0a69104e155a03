// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authorOf } from '../../../src/agents/authentication/author.js'
import { parseHeader } from '../../../src/message/header-fields.js'
import { lines } from './support.js'

function authorIn(header: string): string {
  const author = authorOf(parseHeader(lines(`${header}\n`), 'plain'))
  if (author.kind === 'domains') return author.domains.join(' ')
  return author.kind === 'bad' ? `bad: ${author.why}` : 'none'
}

describe('whose message it is (RFC 5322 section 3.6.2, RFC 7489 section 6.6.1)', () => {
  test.each([
    ['an address', 'From: alice@Test.LAN', 'test.lan'],
    ['a name and an address', 'From: Alice <alice@test.lan>', 'test.lan'],
    ['a name in quotes with an address in it', 'From: "eve@other.lan" <alice@test.lan>', 'test.lan'],
    ['the same without quotes', 'From: eve@other.lan <alice@test.lan>', 'test.lan'],
    ['a comment with an address in it', 'From: alice@test.lan (eve@other.lan (x))', 'test.lan'],
    ['quoted signs', 'From: "a\\"<eve@other.lan>" <alice@test.lan>', 'test.lan'],
    ['a local part in quotes', 'From: "a@other.lan"@test.lan', 'test.lan'],
    ['a name with a comma', 'From: Doe, Alice <alice@test.lan>', 'test.lan'],
    ['a name with a colon', 'From: Dr: Alice <alice@test.lan>', 'test.lan'],
    ['an encoded name', 'From: =?utf-8?q?Ren=C3=A9?= <rene@test.lan>', 'test.lan'],
    ['folded', 'From: Alice\n <alice@test.lan>', 'test.lan'],
    ['UTF-8 (RFC 6532)', 'From: <a@m\xc3\xbcller.lan>', 'xn--mller-kva.lan'],
    ['several of one domain', 'From: a@test.lan, b@test.lan', 'test.lan'],
    ['several of several domains', 'From: a@test.lan, B <b@other.lan>', 'test.lan other.lan'],
    ['a group', 'From: All: a@test.lan, b@test.lan;', 'test.lan'],
    ['a group without members', 'From: Undisclosed senders:;', 'none'],
    ['a name only', 'From: MAILER-DAEMON', 'none'],
    ['an address literal', 'From: a@[192.0.2.1]', 'none'],
    ['nothing', 'From:', 'none'],
    ['an address literal of IPv6', 'From: a@[IPv6:2001:db8::1]', 'none'],
    ['a domain in brackets', 'From: a@[test.lan]', 'bad: From has no valid domain'],
    ['a domain in quotes', 'From: a@"test.lan"', 'bad: From has no valid domain'],
    ['an address in quotes', 'From: "a@test.lan"', 'bad: From has no address'],
    ['an encoded address', 'From: =?utf-8?q?a=40test.lan?=', 'bad: From has no address'],
    ['an address with the name of a group', 'From: a@test.lan: b@other.lan;', 'bad: From cannot be read'],
    ['no field', 'To: a@test.lan', 'bad: no From field'],
    ['two fields', 'From: a@test.lan\nFrom: b@other.lan', 'bad: several From fields'],
    [
      'two fields, one with a blank before the colon',
      'From: a@test.lan\nFROM : b@other.lan',
      'bad: several From fields',
    ],
    ['two addresses in brackets', 'From: <a@test.lan> <b@other.lan>', 'bad: From cannot be read'],
    ['something behind the brackets', 'From: <a@test.lan> b@other.lan', 'bad: From cannot be read'],
    ['brackets in brackets', 'From: <a@<b@other.lan>test.lan>', 'bad: From cannot be read'],
    ['two addresses in one', 'From: a@test.lan b@other.lan', 'bad: From cannot be read'],
    ['two signs in one address', 'From: a@test.lan@other.lan', 'bad: From cannot be read'],
    ['brackets without end', 'From: Alice <a@test.lan', 'bad: From cannot be read'],
    ['quotes without end', 'From: "Alice <a@test.lan>', 'bad: From cannot be read'],
    ['a comment without end', 'From: a@test.lan (x', 'bad: From cannot be read'],
    ['no domain name', 'From: a@test..lan', 'bad: From has no valid domain'],
    ['a dot behind', 'From: a@test.lan.', 'bad: From has no valid domain'],
    [
      'too many domains',
      `From: ${[1, 2, 3, 4, 5, 6].map((n) => `a@d${n}.lan`).join(', ')}`,
      'bad: From has too many domains',
    ],
    ['too long', `From: ${'(x)'.repeat(3_000)} a@test.lan`, 'bad: From cannot be read'],
  ])('%s', (_label, header, expected) => {
    expect(authorIn(header)).toBe(expected)
  })

  test('whatever it is, the domain that is found is written in it, and nothing breaks', () => {
    const sign = fc.constantFrom('a', '@', '<', '>', '"', '(', ')', ',', ';', ':', '\\', ' ', '.', 'b.lan')
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 20 }), (signs) => {
        const text = `From: ${signs.join('')}`
        const found = authorIn(text)
        if (found.startsWith('bad') || found === 'none') return
        for (const domain of found.split(' ')) expect(text).toContain(`@${domain}`)
      }),
    )
  })
})
