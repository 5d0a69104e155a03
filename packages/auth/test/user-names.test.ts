// SPDX-License-Identifier: MIT
import { authSchema, createNaming } from '@portico/auth'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseUserName } from '../src/user-names.js'

describe('a user name', () => {
  test.each([
    ['kim', { authcid: 'kim' }],
    ['kim@contoso.com', { authcid: 'kim', domain: 'contoso.com' }],
    ['contoso\\kim', { authcid: 'kim', domain: 'contoso' }],
    ['contoso/kim', { authcid: 'kim', domain: 'contoso' }],
    ['contoso/kim/helpdesk', { authcid: 'kim', domain: 'contoso', targetMailbox: 'helpdesk' }],
    ['contoso/kim/helpdesk@contoso.com', { authcid: 'kim', domain: 'contoso', targetMailbox: 'helpdesk@contoso.com' }],
    ['kim@contoso.com/helpdesk', { authcid: 'kim', domain: 'contoso.com', targetMailbox: 'helpdesk' }],
    [
      'kim@contoso.com/helpdesk@contoso.com',
      { authcid: 'kim', domain: 'contoso.com', targetMailbox: 'helpdesk@contoso.com' },
    ],
  ])('%s is read as its form says', (text, name) => expect(parseUserName(text)).toEqual(name))

  test.each([
    [''],
    ['/'],
    ['\\'],
    ['@'],
    ['kim@'],
    ['@contoso.com'],
    ['kim@a@b'],
    ['\\kim'],
    ['contoso\\'],
    ['contoso\\kim\\x'],
    ['contoso\\kim@contoso.com'],
    ['contoso\\kim/helpdesk'],
    ['/kim'],
    ['contoso/'],
    ['kim/helpdesk@contoso.com'],
    ['contoso//helpdesk'],
    ['contoso/kim/'],
    ['kim@contoso.com/'],
    ['kim@contoso.com/help/desk'],
    ['contoso/kim@contoso.com/helpdesk'],
    ['a/b/c/d'],
  ])('%s is no form and stays one name', (text) => expect(parseUserName(text)).toEqual({ authcid: text }))

  test('whatever it is, nothing is lost and nothing thrown', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '/', '\\', '@', '.') }), (text) => {
        const { authcid, domain = '', targetMailbox = '' } = parseUserName(text)
        const letters = (some: string) => [...some].filter((one) => one === 'a' || one === 'b').sort()
        expect(letters(authcid + domain + targetMailbox)).toEqual(letters(text))
      }),
    )
  })
})

const naming = (names: object) => createNaming(authSchema.parse({ names }).names)
const SITE = { defaultDomain: 'contoso.com', domains: { CONTOSO: 'contoso.com', Fabrikam: 'fabrikam.example' } }

describe('the account that a name means', () => {
  test.each([
    ['kim', 'kim@contoso.com'],
    ['Kim', 'Kim@contoso.com'],
    ['kim@contoso.com', 'kim@contoso.com'],
    ['kim@CONTOSO.COM', 'kim@contoso.com'],
    ['kim@contoso', 'kim@contoso.com'],
    ['CONTOSO\\kim', 'kim@contoso.com'],
    ['contoso/kim', 'kim@contoso.com'],
    ['contoso.com\\kim', 'kim@contoso.com'],
    ['FABRIKAM\\kim', 'kim@fabrikam.example'],
    ['kim@elsewhere.example', 'kim@elsewhere.example'],
    ['NOBODY\\kim', 'NOBODY\\kim'],
    ['nobody/kim', 'nobody/kim'],
    ['a@b@c', 'a@b@c'],
  ])('%s is %s', (presented, account) => {
    expect(naming(SITE)(presented, undefined)).toEqual({ authcid: account, authzid: undefined, contradictory: false })
  })

  test.each([
    ['kim', 'kim'],
    ['kim@contoso.com', 'kim'],
    ['CONTOSO\\kim', 'kim'],
    ['kim@elsewhere.example', 'kim@elsewhere.example'],
    ['NOBODY\\kim', 'NOBODY\\kim'],
  ])('without the domains of the site %s is %s', (presented, account) => {
    expect(naming({ ...SITE, domain: 'strip' })(presented, undefined).authcid).toBe(account)
  })

  test.each([['kim'], ['kim@contoso.com'], ['CONTOSO\\kim'], ['contoso/kim']])(
    'a site that says nothing looks %s up as it stands',
    (presented) => expect(naming({})(presented, undefined).authcid).toBe(presented),
  )

  test('the name of an account means that account', () => {
    const domain = fc.constantFrom('contoso', 'contoso.com', 'FABRIKAM', 'fabrikam.example', 'x.example', 'y')
    const form = fc.constantFrom('\\', '/', '@')
    fc.assert(
      fc.property(domain, form, fc.constantFrom('keep', 'strip'), (name, separator, policy) => {
        const mean = naming({ ...SITE, domain: policy })
        const once = mean(separator === '@' ? `kim@${name}` : `${name}${separator}kim`, undefined).authcid
        expect(mean(once, undefined).authcid).toBe(once)
      }),
    )
  })

  test.each([
    ['a second replacement', { domains: { a: 'b', b: 'c' } }],
    ['a default domain that is replaced', { defaultDomain: 'a', domains: { A: 'c' } }],
    ['a domain that is none', { defaultDomain: 'a@b' }],
  ])('%s is a mistake of the site', (_label, names) => {
    expect(authSchema.safeParse({ names }).success).toBe(false)
  })
})

describe('the mailbox that is meant', () => {
  const KIM = 'kim@contoso.com'
  const HELP = 'helpdesk@contoso.com'

  test.each([
    ['contoso/kim/helpdesk', undefined],
    ['contoso/kim/helpdesk@contoso.com', undefined],
    ['kim@contoso.com/helpdesk', undefined],
    ['kim@contoso.com/helpdesk@contoso.com', undefined],
    ['kim', 'helpdesk'],
    ['kim@contoso.com', 'helpdesk@contoso.com'],
    ['CONTOSO\\kim', 'CONTOSO\\helpdesk'],
    ['kim@contoso.com/helpdesk', 'contoso/helpdesk'],
  ])('%s with the authzid %s', (authcid, authzid) => {
    expect(naming(SITE)(authcid, authzid)).toEqual({ authcid: KIM, authzid: HELP, contradictory: false })
  })

  test.each([
    ['two mailboxes', 'kim@contoso.com/helpdesk', 'ceo'],
    ['a delegate as authzid', 'kim', 'contoso/kim/helpdesk'],
  ])('%s contradict each other', (_label, authcid, authzid) => {
    expect(naming(SITE)(authcid, authzid).contradictory).toBe(true)
  })

  test('a site that says nothing about domains still knows who is the delegate', () => {
    expect(naming({})('contoso/kim/helpdesk', undefined)).toMatchObject({ authcid: 'contoso/kim', authzid: 'helpdesk' })
    expect(naming({})('kim@x/helpdesk', undefined)).toMatchObject({ authcid: 'kim@x', authzid: 'helpdesk' })
  })
})
