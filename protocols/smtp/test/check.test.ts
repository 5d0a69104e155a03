// SPDX-License-Identifier: MIT
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { smtpProblems } from '../src/check.js'
import { smtpSchema } from '../src/schema.js'

const MECHANISMS = ['SCRAM-SHA-256', 'PLAIN', 'LOGIN', 'ANONYMOUS']

function problemsOf(smtp: object, options: object = {}, site: object = {}) {
  return smtpProblems(smtpSchema.parse(smtp), {
    listeners: [{ index: 3, tls: 'starttls', plaintextPasswords: 'never', options }],
    backendGroups: ['mbx', 'mta'],
    networks: [],
    mechanisms: MECHANISMS,
    schemes: [],
    identities: new Map(),
    balanced: false,
    nodesShareState: false,
    isToldOf: true,
    partlyDeferred: false,
    pathOf: (path) => path,
    ...site,
  }).map(({ path, expectation }) => `${path.join('.')}: ${expectation}`)
}

const RELAY = { permissions: { anonymous: ['submit', 'relay'] } }
const EXISTING = 'expected one of the connectors inbound, client, partner'

describe('the connectors of a listener', () => {
  const connectors = {
    office: { remote: ['192.0.2.0/24'] },
    branch: { remote: ['198.51.100.0/24', '192.0.2.7/24'] },
    desk: { remote: ['192.0.2.7'] },
  }

  test.each<[string, object, readonly string[]]>([
    ['none', {}, []],
    ['one of the file', { connector: 'office' }, []],
    ['one that always exists', { connector: 'inbound' }, []],
    [
      'one that does not exist',
      { connector: 'partners' },
      [`listeners.3.connector: ${EXISTING}, office, branch, desk`],
    ],
    ['several', { connectors: ['office', 'desk', 'partner', 'inbound'] }, []],
    [
      'several of which one does not exist',
      { connectors: ['office', 'toString'] },
      [`listeners.3.connectors: ${EXISTING}, office, branch, desk`],
    ],
    [
      'one and several',
      { connector: 'inbound', connectors: ['office'] },
      ['listeners.3.connectors: expected connector or connectors, not both'],
    ],
    [
      'two with the same block',
      { connectors: ['office', 'inbound', 'branch'] },
      [
        'listeners.3.connectors: expected connectors that differ in whom they hold: office and branch both hold 192.0.2.7/24',
      ],
    ],
    [
      'two that hold everybody',
      { connectors: ['inbound', 'client'] },
      [
        'listeners.3.connectors: expected connectors that differ in whom they hold: inbound and client both hold everybody',
      ],
    ],
  ])('%s', (_, options, problems) => {
    expect(problemsOf({ connectors }, options)).toEqual(problems)
  })

  const none = [{ index: 0, tls: 'none', options: { connectors: ['partner', 'inbound'] } }]

  test('one that wants TLS needs a listener that has it', () => {
    expect(problemsOf({}, {}, { listeners: none })).toEqual([
      'listeners.0.tls: expected starttls or implicit: the connector partner takes nothing without TLS',
    ])
  })

  test('a balancer may have taken TLS off', () => {
    expect(problemsOf({}, {}, { listeners: none, balanced: true })).toEqual([])
  })
})

describe('an open relay is not made by accident', () => {
  const refused = (name: string, whom: string) =>
    `smtp.connectors.${name}.permissions.anonymous: expected no relay, or openRelay: true beside it: ${whom} could send to the world without signing in`

  test.each<[string, object, readonly string[]]>([
    ['inbound', { inbound: RELAY }, [refused('inbound', 'everybody')]],
    ['one that no listener names', { lab: RELAY }, [refused('lab', 'everybody')]],
    ['one for some', { lab: { ...RELAY, remote: ['10.0.0.0/8'] } }, [refused('lab', 'whoever remote holds')]],
    ['with a group that relays', { lab: { ...RELAY, group: 'mta' } }, [refused('lab', 'everybody')]],
    ['submission without signing in', { client: { ...RELAY, group: 'mta' } }, [refused('client', 'everybody')]],
    ['relay without submit', { lab: { permissions: { anonymous: ['relay'] } } }, [refused('lab', 'everybody')]],
    ['a site that says so', { lab: { ...RELAY, openRelay: true, remote: ['10.0.0.0/8'] } }, []],
    ['a site that says so of everybody', { lab: { ...RELAY, openRelay: true } }, []],
    ['the word alone opens nothing', { lab: { openRelay: true } }, []],
    ['relay for those who sign in', { lab: { permissions: { authenticated: ['submit', 'relay'] } } }, []],
  ])('%s', (_, connectors, problems) => {
    expect(problemsOf({ connectors })).toEqual(problems)
  })
})

test.each<[string, object, readonly string[]]>([
  [
    'submission without a user has no backend',
    { connectors: { client: { permissions: { anonymous: ['submit'] } } } },
    [
      'smtp.connectors.client.permissions.anonymous: expected no submit, submission: false or a group: who has not signed in has no backend',
    ],
  ],
  [
    'submission without a user, to a group',
    { connectors: { client: { group: 'mta', permissions: { anonymous: ['submit'] } } } },
    [],
  ],
  [
    'a group that nobody has',
    { connectors: { inbound: { group: 'mtas' } } },
    ['smtp.connectors.inbound.group: expected one of the groups mbx, mta'],
  ],
  [
    'an untrusted group that nobody has',
    { untrustedGroups: ['mta', 'mtas'] },
    ['smtp.untrustedGroups.1: expected one of the groups mbx, mta'],
  ],
  ['mechanisms that can be offered', { connectors: { client: { mechanisms: ['plain', 'LOGIN'] } } }, []],
  [
    'mechanisms that cannot be offered',
    { connectors: { client: { mechanisms: ['PLAIN', 'CRAM-MD5', 'ANONYMOUS'] } } },
    [1, 2].map((at) => `smtp.connectors.client.mechanisms.${at}: expected one of SCRAM-SHA-256, PLAIN, LOGIN`),
  ],
])('%s', (_, smtp, problems) => {
  expect(problemsOf(smtp)).toEqual(problems)
})

test.each([
  [
    'that is asked where nobody comes in',
    { connectors: ['inbound', 'other'] },
    'smtp.agents.0.connectors.1: ',
    /expected one of the connectors/,
  ],
  ['whose file is not there', { blockFile: 'absent' }, 'smtp.agents.0.blockFile: ', /ENOENT/],
  ['whose file is no list', { allowFile: 'check.test.ts' }, 'smtp.agents.0.allowFile: ', /line \d+/],
])('an agent %s is a mistake', (_label, written, path, expectation) => {
  const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const problems = problemsOf({ agents: [{ type: 'ip-list', ...written }] }, {}, { pathOf })
  expect(problems).toEqual([expect.stringMatching(expectation)])
  expect(problems[0]).toContain(path)
})
