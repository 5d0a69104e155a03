// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePath } from '../../src/address.js'
import type { Permission } from '../../src/connector/permissions.js'
import { mayReceive } from '../../src/connector/recipient.js'

const connector = (anonymous: readonly Permission[] = ['submit', 'any-sender', 'own-domain-sender']) => ({
  domains: ['test.lan'],
  permissions: { anonymous, authenticated: ['submit', 'relay'] as const },
})

function receives(path: string, anonymous?: readonly Permission[], signedIn = false): boolean | 'no address' {
  const parsed = parsePath(path)
  return parsed.kind === 'mailbox' ? mayReceive(connector(anonymous), signedIn, parsed.mailbox) : 'no address'
}

describe('whom strangers may send to (RFC 5321 section 7.1)', () => {
  test.each<[string, string, boolean | 'no address']>([
    ['the site', '<alice@test.lan>', true],
    ['the site in any case', '<alice@TEST.Lan>', true],
    ['the site with the root', '<alice@test.lan.>', true],
    ['another domain', '<alice@far.example>', false],
    ['a domain of the domain', '<alice@sub.test.lan>', false],
    ['a domain that ends alike', '<alice@xtest.lan>', false],
    ['a domain that begins alike', '<alice@test.lan.far.example>', false],
    ['the percent hack', '<mallory%far.example@test.lan>', false],
    ['the percent hack in quotes', '<"mallory%far.example"@test.lan>', false],
    ['the percent hack, escaped in quotes', '<"mallory\\%far.example"@test.lan>', false],
    ['a bang path', '<far.example!mallory@test.lan>', false],
    ['an address in quotes', '<"mallory@far.example"@test.lan>', false],
    ['an address in quotes, escaped', '<"mallory\\@far.example"@test.lan>', false],
    ['a source route in quotes', '<"@far.example:mallory"@test.lan>', false],
    ['a source route by us', '<@test.lan:mallory@far.example>', false],
    ['a source route elsewhere', '<@far.example:alice@test.lan>', true],
    ['a source route and the percent hack', '<@test.lan:mallory%far.example@test.lan>', false],
    ['two domains', '<mallory@far.example@test.lan>', 'no address'],
    ['two domains the other way', '<mallory@test.lan@far.example>', 'no address'],
    ['an address literal', '<alice@[127.0.0.1]>', false],
    ['an IPv6 literal', '<alice@[IPv6:::1]>', false],
    ['nobody', '<>', 'no address'],
    ['postmaster', '<postmaster>', true],
    ['postmaster in any case', '<POSTMASTER>', true],
    ['postmaster in quotes', '<"postmaster">', true],
    ['postmaster elsewhere', '<postmaster@far.example>', false],
    ['postmaster by the percent hack', '<postmaster%far.example>', false],
    ['another bare name', '<alice>', false],
    ['a NUL', '<alice\0@test.lan>', 'no address'],
    ['a line end', '<alice\r\n@test.lan>', 'no address'],
  ])('%s', (_label, path, expected) => {
    expect(receives(path)).toBe(expected)
  })

  test('who may relay may send to all of these', () => {
    expect(receives('<mallory%far.example@test.lan>', ['relay'])).toBe(true)
    expect(receives('<mallory@far.example>', undefined, true)).toBe(true)
  })

  test('where the site has no domains nobody is its own, postmaster neither', () => {
    const none = { ...connector(), domains: [] }
    for (const mailbox of [
      { local: 'postmaster', domain: '' },
      { local: 'alice', domain: 'test.lan' },
    ])
      expect(mayReceive(none, false, mailbox)).toBe(false)
  })

  test('nothing that is taken names another place than the site', () => {
    const piece = fc.constantFrom(
      'a',
      '"',
      '\\',
      '@',
      '%',
      '!',
      ':',
      ',',
      '.',
      '<',
      '>',
      ' ',
      'test.lan',
      'far.example',
      '[',
      ']',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const parsed = parsePath(`<${pieces.join('')}>`)
        if (parsed.kind !== 'mailbox' || !mayReceive(connector(), false, parsed.mailbox)) return
        // What is passed on is one address of the site, whatever a server that trusts us reads into it.
        expect(parsed.mailbox.text).toMatch(/^(?:[^@%!]+@test\.lan\.?|"?postmaster"?)$/i)
      }),
      { numRuns: 3_000 },
    )
  })
})
