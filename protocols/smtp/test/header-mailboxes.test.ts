// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { headerMailboxes } from '../src/message/header-mailboxes.js'

const texts = (field: string) => headerMailboxes(field).map(({ local, domain }) => `${local}@${domain}`)

describe('the mailboxes of a field (RFC 5322 section 3.4)', () => {
  test.each<[label: string, field: string, mailboxes: readonly string[]]>([
    ['a bare address', 'alice@example.org', ['alice@example.org']],
    ['an address with a name', 'Alice <alice@Example.ORG>', ['alice@example.org']],
    ['several', 'alice@example.org, Bob <bob@example.net>', ['alice@example.org', 'bob@example.net']],
    ['a name that looks like an address', '"boss@ours.example" <eve@far.example>', ['eve@far.example']],
    ['the same without quotes', 'boss@ours.example <eve@far.example>', ['eve@far.example']],
    ['specials inside quotes', '"Doe, <John>; (x)" <john@example.org>', ['john@example.org']],
    ['a quoted pair inside quotes', '"a \\" <b@c.example>" <d@e.example>', ['d@e.example']],
    ['comments, one in another', '(a (b@c.example) d) alice (x)@(y) example.org', ['alice@example.org']],
    ['a quoted local part', '<"a b"@example.org>', ['a b@example.org']],
    ['a quoted local part with an @', '"a@b"@example.org', ['a@b@example.org']],
    ['white space around dots', 'alice . b @ example . org', ['alice.b@example.org']],
    ['a source route', '<@one.example,@two.example:alice@example.org>', ['alice@example.org']],
    ['a group', 'ours: alice@example.org, <bob@example.org>;', ['alice@example.org', 'bob@example.org']],
    ['a group of nobody', 'Undisclosed recipients:;', []],
    ['two addresses for one', 'Alice <a@example.org> <b@example.net>', ['a@example.org', 'b@example.net']],
    ['an open bracket', 'Alice <alice@example.org', ['alice@example.org']],
    ['an open quote', '"Alice <alice@example.org>', ['alice@example.org']],
    ['an open comment', 'alice@example.org (and <bob@example.org>', ['bob@example.org']],
    ['the dot of the root', '<alice@example.org.>', ['alice@example.org']],
    ['UTF-8', Buffer.from('<ö@exämple.org>').toString('latin1'), ['ö@exämple.org']],
    ['no address', 'Alice', []],
    ['nothing at all', '', []],
    ['half addresses', '@example.org, alice@, <@>', []],
  ])('%s', (_label, field, mailboxes) => {
    expect(texts(field)).toEqual(mailboxes)
  })

  test('whatever the text is, it comes to an end, and what is found is an address', () => {
    const piece = fc.constantFrom('"', '(', ')', '<', '>', ',', ';', ':', '@', '\\', ' ', 'a', '.', 'b.c')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        for (const { local, domain } of headerMailboxes(pieces.join(''))) {
          expect(local).not.toBe('')
          expect(domain).not.toBe('')
        }
      }),
    )
  })

  test.each(['(', '<', '"', '\\', '@', '<a@b>', 'a@b,', '("', '"\\'])(
    '250 KB of %s take no longer than they are long',
    (piece) => {
      expect(headerMailboxes(piece.repeat(250_000 / piece.length)).length).toBeLessThanOrEqual(1_000)
    },
  )
})
