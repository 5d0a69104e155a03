// SPDX-License-Identifier: MIT
import { accessRuleProblems, accessRulesSchema, createAccessRules } from '@portico/auth'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AccessQuestion, decideAccess } from '../src/access-rules.js'

const NETWORKS = { internal: ['10.0.0.0/8', '2001:db8::/32'], vpn: ['10.9.0.0/16'] }
const SCHEMA = accessRulesSchema(['imap4', 'pop3', 'smtp', 'http'])

const rulesOf = (rules: readonly object[]) => createAccessRules(SCHEMA.parse(rules), NETWORKS)
const problemsOf = (rules: readonly object[]) =>
  accessRuleProblems(SCHEMA.parse(rules), NETWORKS).map(({ path, expectation }) => `${path.join('.')}: ${expectation}`)

/** `address protocol mechanism user`; a user `?` has not proved anything yet. */
function questionOf(text: string): AccessQuestion {
  const [address = '', protocol = '', mechanism = '', user = '?'] = text.split(' ')
  return { address, protocol: protocol as 'imap4', mechanism, ...(user === '?' ? {} : { user }) }
}

const answer = (rules: readonly object[], text: string): string => {
  const decided = decideAccess(rulesOf(rules), questionOf(text))
  return decided.kind === 'depends' ? 'depends' : `${decided.kind} ${decided.rule ?? '-'}`
}

const ALL = { name: 'all', action: 'deny' }
const HOME = { name: 'home', networks: ['internal'], action: 'allow' }
const NO_POP = { name: 'no-pop', protocols: ['pop3'], exceptNetworks: ['internal'], action: 'deny' }
const NO_PASSWORDS = {
  name: 'proofs',
  mechanisms: ['PLAIN', 'LOGIN', 'USER'],
  exceptNetworks: ['internal'],
  action: 'deny',
}
const ADMINS = { name: 'admins', users: ['admin-*@contoso.com', 'root'], networks: ['203.0.113.0/24'], action: 'deny' }
const PARTNERS = { name: 'partners', users: ['*@partner.example'], action: 'allow' }
const STAFF = { name: 'staff', exceptUsers: ['guest?'], action: 'allow' }

describe('the first rule that fits', () => {
  test.each([
    ['no rules', [], '192.0.2.1 imap4 PLAIN kim', 'allow -'],
    ['no rules, nobody yet', [], '192.0.2.1 imap4 PLAIN ?', 'allow -'],
    ['a rule for everything', [ALL], '192.0.2.1 imap4 PLAIN ?', 'deny all'],
    ['in the network', [HOME, ALL], '10.1.2.3 imap4 PLAIN ?', 'allow home'],
    ['in the network by IPv6', [HOME, ALL], '2001:db8::7 imap4 PLAIN ?', 'allow home'],
    ['in the network, IPv4-mapped', [HOME, ALL], '::ffff:10.1.2.3 imap4 PLAIN ?', 'allow home'],
    ['outside of it', [HOME, ALL], '192.0.2.1 imap4 PLAIN ?', 'deny all'],
    ['a Unix socket is in no network', [HOME, ALL], '/run/x imap4 PLAIN ?', 'deny all'],
    ['the order decides', [ALL, HOME], '10.1.2.3 imap4 PLAIN ?', 'deny all'],
    ['another protocol', [NO_POP], '192.0.2.1 imap4 USER ?', 'allow -'],
    ['the protocol, outside', [NO_POP], '192.0.2.1 pop3 USER ?', 'deny no-pop'],
    ['the protocol, in an excepted network', [NO_POP], '10.1.2.3 pop3 USER ?', 'allow -'],
    ['another mechanism', [NO_PASSWORDS], '192.0.2.1 imap4 SCRAM-SHA-256 ?', 'allow -'],
    ['the mechanism', [NO_PASSWORDS], '192.0.2.1 imap4 USER ?', 'deny proofs'],
    ['Basic is no USER', [NO_PASSWORDS], '192.0.2.1 http BASIC ?', 'allow -'],
    ['a user of the list', [ADMINS], '203.0.113.5 imap4 PLAIN root', 'deny admins'],
    ['a user in other case', [ADMINS], '203.0.113.5 imap4 PLAIN Admin-7@Contoso.com', 'deny admins'],
    ['another user', [ADMINS], '203.0.113.5 imap4 PLAIN roots', 'allow -'],
    ['a user of the list elsewhere', [ADMINS], '192.0.2.1 imap4 PLAIN root', 'allow -'],
    ['an excepted user', [STAFF, ALL], '192.0.2.1 imap4 PLAIN guest1', 'deny all'],
    ['a user who is not excepted', [STAFF, ALL], '192.0.2.1 imap4 PLAIN guest12', 'allow staff'],
    ['several rules', [ADMINS, PARTNERS, HOME, ALL], '192.0.2.1 smtp PLAIN a@partner.example', 'allow partners'],
    ['nobody yet, and it depends', [ADMINS], '203.0.113.5 imap4 PLAIN ?', 'depends'],
    ['nobody yet, where the rule cannot fit', [ADMINS], '192.0.2.1 imap4 PLAIN ?', 'allow -'],
    ['nobody yet, all the same for everybody', [ADMINS, ALL], '203.0.113.5 imap4 PLAIN ?', 'deny all'],
    ['nobody yet, allowed all the same', [PARTNERS, HOME, ALL], '10.1.2.3 imap4 PLAIN ?', 'allow home'],
    ['nobody yet, some are let in', [PARTNERS, ALL], '192.0.2.1 imap4 PLAIN ?', 'depends'],
  ])('%s', (_label, rules, question, expected) => expect(answer(rules, question)).toBe(expected))

  test('what is said without a user holds for every user', () => {
    const rule = fc.constantFrom<object>(ALL, HOME, NO_POP, NO_PASSWORDS, ADMINS, PARTNERS, STAFF)
    const address = fc.constantFrom('10.9.1.1', '192.0.2.1', '203.0.113.5')
    const user = fc.constantFrom('root', 'guest1', 'a@partner.example', 'kim')
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), address, user, (rules, from, who) => {
        const early = answer(rules, `${from} pop3 USER ?`)
        fc.pre(early !== 'depends')
        expect(answer(rules, `${from} pop3 USER ${who}`).split(' ')[0]).toBe(early.split(' ')[0])
      }),
    )
  })
})

describe('mistakes of a site', () => {
  test.each([
    ['an unknown network', [{ ...HOME, networks: ['inside'] }], 'accessRules.0.networks.0: expected the name'],
    ['an unknown excepted one', [{ ...NO_POP, exceptNetworks: ['10.0.0.0/33'] }], 'accessRules.0.exceptNetworks.0: '],
    ['a name twice', [HOME, { ...NO_POP, name: 'home' }], 'accessRules.1.name: expected a name that accessRules[0]'],
    ['a rule behind one for everything', [ALL, HOME], 'accessRules.1: expected a rule that something can reach: "all"'],
    ['a rule behind a wider one', [HOME, { ...ADMINS, networks: ['internal'] }], 'accessRules.1: expected a rule that'],
    ['the same exceptions', [NO_POP, { ...NO_POP, name: 'again' }], 'accessRules.1: expected a rule that'],
  ])('%s', (_label, rules, problem) => expect(problemsOf(rules)).toEqual([expect.stringContaining(problem)]))

  test.each([
    ['an exception leaves something over', [NO_POP, { name: 'pop', protocols: ['pop3'], action: 'allow' }]],
    ['a narrower rule leaves something over', [{ ...HOME, name: 'vpn', networks: ['vpn'] }, HOME]],
    ['names, addresses and blocks', [{ ...HOME, networks: ['vpn', '192.0.2.1', '2001:db8::/32'] }]],
    ['a user list is narrower than none', [ADMINS, { ...ADMINS, name: 'net', users: undefined }]],
  ])('none: %s', (_label, rules) => expect(problemsOf(rules)).toEqual([]))

  test.each([
    ['an empty list', { ...HOME, networks: [] }],
    ['an unknown protocol', { ...HOME, protocols: ['imap'] }],
    ['an unknown mechanism', { ...HOME, mechanisms: ['PASSWORD'] }],
    ['no action', { name: 'x' }],
    ['an unknown key', { ...HOME, network: ['internal'] }],
  ])('%s is not taken', (_label, rule) => expect(SCHEMA.safeParse([rule]).success).toBe(false))
})
