// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { smtpSchema } from '../../src/schema.js'
import { gatewayProblems, gatewayWarnings } from '../../src/telephony/check-gateways.js'
import { partnerProblems } from '../../src/telephony/check-partners.js'

const SITE = { backendGroups: ['mbx', 'fax'], networks: ['office'] }
const fax = { group: 'fax', domains: ['fax.example.org'], allow: ['+49'] }
const parse = (gateway: object, more: object = {}) =>
  smtpSchema.parse({ telephony: { gateways: { fax: { ...fax, ...gateway } } }, ...more })

test.each<[string, object, readonly string[]]>([
  ['nothing', {}, []],
  ['no such group', { group: 'faxes' }, ['group: expected one of the groups mbx, fax']],
  [
    'no such network',
    { withoutSignIn: { networks: ['lab'] } },
    ['withoutSignIn.networks.0: expected one of the networks office'],
  ],
  [
    'no such connector',
    { withoutSignIn: { connectors: ['inbound', 'lab'] } },
    ['withoutSignIn.connectors.1: expected one of the connectors inbound, client, partner'],
  ],
  [
    'no number that may be called',
    { allow: undefined },
    ['allow: expected numbers that may be called, or a countryCode under smtp.telephony.numbers'],
  ],
])('what is wrong with a gateway: %s', (_, gateway, expected) => {
  const problems = gatewayProblems(parse(gateway), SITE)
  const at = 'smtp.telephony.gateways.fax.'
  expect(problems.map(({ path, expectation }) => `${path.join('.')}: ${expectation}`)).toEqual(
    expected.map((text) => at + text),
  )
})

test('a country code is as good as a list', () => {
  const settings = smtpSchema.parse({
    telephony: { numbers: { countryCode: '49' }, gateways: { fax: { ...fax, allow: undefined } } },
  })
  expect(gatewayProblems(settings, SITE)).toEqual([])
})

test.each<[string, object, object, readonly string[]]>([
  ['nobody but users', {}, {}, []],
  [
    'a network and a connector',
    { withoutSignIn: { networks: ['office'], connectors: ['partner'] } },
    {},
    [
      'smtp.telephony.gateways.fax.withoutSignIn: clients of the network office can call telephones without signing in',
      'smtp.telephony.gateways.fax.withoutSignIn: clients of the connector partner can call telephones without signing in',
    ],
  ],
  [
    'a connector that sends all to the gateway',
    {},
    { connectors: { lab: { group: 'fax' } } },
    [
      'smtp.connectors.lab.group: whatever anybody sends there who has not signed in goes to the gateway fax, and nobody judges what it reads in other addresses',
    ],
  ],
  [
    'a connector that sends what users write to the gateway',
    {},
    { connectors: { lab: { group: 'fax', submission: true } } },
    [],
  ],
])('who reaches a gateway without signing in: %s', (_, gateway, more, expected) => {
  expect(gatewayWarnings(parse(gateway, more))).toEqual(expected)
})

test.each<[string, object, object, readonly string[]]>([
  ['one that exists', { partner: 'fax' }, {}, []],
  ['one that does not', { pbx: 'fax' }, {}, ['pbx: expected one of the connectors inbound, client, partner']],
  [
    'one that nobody believes',
    { inbound: 'fax' },
    {},
    ['inbound: expected a connector where somebody has the permission telephony-headers'],
  ],
  [
    'one whose users are believed',
    { pbx: 'fax' },
    { pbx: { permissions: { authenticated: ['telephony-headers'] } } },
    [],
  ],
])('the connector of a partner: %s', (_, partners, connectors, expected) => {
  const settings = smtpSchema.parse({ connectors, agents: [{ type: 'telephony', partners }] })
  const problems = partnerProblems(settings).map(({ path, expectation }) => `${path.join('.')}: ${expectation}`)
  expect(problems).toEqual(expected.map((text) => `smtp.agents.0.partners.${text}`))
})

test.each([
  ['a prefix without a plus sign', { allow: ['49'] }],
  ['a prefix of letters', { deny: ['+FAX'] }],
  ['no domain', { domains: [] }],
  ['no calls', { rate: { day: 0 } }],
])('no gateway: %s', (_, gateway) => expect(() => parse(gateway)).toThrow())
