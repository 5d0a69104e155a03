// SPDX-License-Identifier: MIT
import { createNaming } from '@portico/auth'
import { describe, expect, test } from 'vitest'
import { parsePath } from '../../src/address.js'
import type { Permission } from '../../src/connector/permissions.js'
import { maySendAs } from '../../src/connector/sender.js'

type NamingSettings = Parameters<typeof createNaming>[0]

function senderOf(text: string) {
  const path = parsePath(text)
  if (path.kind === 'bad') throw new Error(`no path: ${text}`)
  return path.kind === 'mailbox' ? path.mailbox : undefined
}

interface Site {
  readonly domains?: readonly string[]
  readonly names?: NamingSettings
  readonly mail?: string
}

function judge(allowed: readonly Permission[], user: string | undefined, sender: string, site: Site = {}): boolean {
  const connector = {
    domains: [...(site.domains ?? [])],
    permissions:
      user === undefined ? { anonymous: allowed, authenticated: [] } : { anonymous: [], authenticated: allowed },
  }
  const naming = createNaming(site.names ?? { domains: {}, domain: 'keep' })
  const fields = new Map(site.mail === undefined ? [] : [['mail', site.mail]])
  const known = user === undefined ? undefined : { user, fields }
  return maySendAs(connector, known, senderOf(sender), (name) => naming(name, undefined).authcid)
}

const STRIPPED: NamingSettings = { defaultDomain: 'contoso.com', domains: { contoso: 'contoso.com' }, domain: 'strip' }
const KEPT: NamingSettings = { ...STRIPPED, domain: 'keep' }

describe('a user sends as themselves (RFC 6409 section 6.1)', () => {
  test.each<[string, string, string, Site, boolean]>([
    ['the null reverse-path', 'kim', '<>', {}, true],
    ['an account that is an address', 'kim@contoso.com', '<kim@contoso.com>', {}, true],
    ['case does not count', 'Kim@Contoso.com', '<KIM@CONTOSO.COM>', {}, true],
    ['a source route does not count', 'kim@contoso.com', '<@far.example:kim@contoso.com>', {}, true],
    ['somebody else', 'kim@contoso.com', '<lee@contoso.com>', {}, false],
    ['the same name elsewhere', 'kim@contoso.com', '<kim@far.example>', {}, false],
    ['a longer name', 'kim@contoso.com', '<kim@contoso.com.far.example>', {}, false],
    [
      'an account without a domain, at a domain of the connector',
      'kim',
      '<kim@contoso.com>',
      { domains: ['contoso.com'] },
      true,
    ],
    ['an account without a domain, elsewhere', 'kim', '<kim@far.example>', { domains: ['contoso.com'] }, false],
    ['somebody else at a domain of the connector', 'kim', '<lee@contoso.com>', { domains: ['contoso.com'] }, false],
    ['an account with another domain', 'kim@fabrikam.com', '<kim@contoso.com>', { domains: ['contoso.com'] }, false],
    ['the name alone', 'kim', '<kim>', {}, true],
    ['the name alone, of somebody else', 'kim', '<lee>', {}, false],
    ['names lose their domain', 'kim', '<kim@contoso.com>', { names: STRIPPED }, true],
    ['names lose another name of their domain', 'kim', '<kim@contoso>', { names: STRIPPED }, true],
    ['names keep a foreign domain', 'kim', '<kim@far.example>', { names: STRIPPED }, false],
    ['names are given a domain', 'kim@contoso.com', '<kim>', { names: KEPT }, true],
    [
      'a quoted down-level name is no address of the account',
      'kim',
      '<"contoso\\\\kim"@far.example>',
      { names: STRIPPED },
      false,
    ],
    [
      'a quoted name with a mailbox is no address of the account',
      'kim',
      '<"kim@contoso.com/x"@far.example>',
      { names: STRIPPED },
      false,
    ],
    ['needless quotes do not count', 'kim@contoso.com', '<"kim"@contoso.com>', {}, true],
    ['a subaddress is another address', 'kim@contoso.com', '<kim+lists@contoso.com>', {}, false],
    ['the address that the account has', 'kim', '<Kim.Akers@contoso.com>', { mail: 'kim.akers@contoso.com' }, true],
    ['no other one', 'kim', '<kim.akers@far.example>', { mail: 'kim.akers@contoso.com' }, false],
  ])('%s', (_label, user, sender, site, allowed) => {
    expect(judge([], user, sender, site)).toBe(allowed)
  })
})

describe('permissions to send as others', () => {
  const site = { domains: ['contoso.com'] }

  test.each<[string, readonly Permission[], string | undefined, string, boolean]>([
    ['strangers send as nobody', [], undefined, '<>', true],
    ['strangers without any permission', [], undefined, '<eve@far.example>', false],
    ['strangers as any sender', ['any-sender'], undefined, '<eve@far.example>', true],
    ['strangers as any sender, but not in our name', ['any-sender'], undefined, '<kim@contoso.com>', false],
    ['strangers as any sender, nor without a domain', ['any-sender'], undefined, '<kim>', false],
    ['strangers in our name', ['own-domain-sender'], undefined, '<kim@contoso.com>', true],
    ['strangers in our name alone', ['own-domain-sender'], undefined, '<eve@far.example>', false],
    [
      'strangers in our name, not in that of a part of us',
      ['own-domain-sender'],
      undefined,
      '<eve@a.contoso.com>',
      false,
    ],
    ['strangers as anybody', ['any-sender', 'own-domain-sender'], undefined, '<kim@contoso.com>', true],
    ['users as any sender', ['any-sender'], 'kim', '<lee@contoso.com>', true],
    ['users as any sender, elsewhere', ['any-sender'], 'kim', '<eve@far.example>', true],
    ['users in our name', ['own-domain-sender'], 'kim', '<lee@contoso.com>', true],
    ['users in our name alone', ['own-domain-sender'], 'kim', '<eve@far.example>', false],
  ])('%s', (_label, permissions, user, sender, allowed) => {
    expect(judge(permissions, user, sender, site)).toBe(allowed)
  })
})
