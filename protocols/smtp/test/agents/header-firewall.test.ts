// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { egressFirewall, ingressFirewall } from '../../src/agents/header-firewall.js'
import type { Dialogue } from '../../src/dialogue.js'
import { editHeader, type HeaderEdits, parseHeader } from '../../src/message/header-fields.js'
import { smtpSchema } from '../../src/schema.js'

const SECTION = Buffer.from(
  [
    'Received: from a by b',
    'Resent-From: a@b.example',
    'Authentication-Results: portico.test.lan; spf=pass',
    'authentication-results: other.example; spf=pass',
    'X-MS-Exchange-Organization-SCL: -1',
    'x-ms-exchange-organization-\r\n\t: folded',
    'X-MS-Exchange-Forest-Language: en',
    'X-Portico-Early-Talker: no',
    'Subject: hi',
    '\r\n',
  ].join('\r\n'),
)

/** The names that are left; of results whose they are, too. */
function namesAfter(edits: readonly HeaderEdits[]): string[] {
  const edited = Buffer.concat(editHeader(SECTION, parseHeader(SECTION, 'plain'), edits, 'plain'))
  return [...parseHeader(edited, 'plain')].map((field) =>
    field.name.endsWith('results') ? `${field.name} ${field.text()}` : field.name,
  )
}

/** What is left from whom a connector lets in. */
function left(connector: object, signedIn = false): string[] {
  const settings = smtpSchema.parse({ connectors: { inbound: connector } })
  const dialogue = {
    connector: settings.connectors.get('inbound'),
    authenticated: signedIn ? { principal: { strength: 'plain' } } : undefined,
    session: { services: { hostname: 'portico.test.lan' } },
  } as unknown as Dialogue
  return namesAfter([ingressFirewall(dialogue)])
}

const OTHERS = 'authentication-results other.example; spf=pass'
const OURS = 'authentication-results portico.test.lan; spf=pass'

const HEAD = ['received', 'resent-from']
const ORGANIZATION = ['x-ms-exchange-organization-scl', 'x-ms-exchange-organization-']
const permissions = (...anonymous: string[]) => ({
  permissions: { anonymous: ['submit', ...anonymous], authenticated: ['submit', 'organization-headers'] },
})

test.each<[string, object, boolean, string[]]>([
  ['a stranger: what only servers of the organization may say goes', {}, false, [...HEAD, OTHERS, 'subject']],
  [
    'a connector that tells results itself: those that claim to be ours go all the same',
    { authenticationResults: true },
    false,
    [...HEAD, OTHERS, 'subject'],
  ],
  ['who may say nothing: also where it has been', permissions(), false, [OTHERS, 'subject']],
  [
    'a server of the forest: its words about the forest stay',
    permissions('forest-headers', 'routing-headers'),
    false,
    [...HEAD, OTHERS, 'x-ms-exchange-forest-language', 'subject'],
  ],
  [
    'a server of the organization: its words about the organization and in our name stay',
    permissions(),
    true,
    [OURS, OTHERS, ...ORGANIZATION, 'x-portico-early-talker', 'subject'],
  ],
])('from %s', (_label, connector, signedIn, names) => {
  expect(left(connector, signedIn)).toEqual(names)
})

test('to those outside goes neither what has come nor what agents have added', () => {
  const added = {
    remove: () => false,
    prepend: ['x-ms-exchange-ORGANIZATION-scl:\r\n 9\r\n', 'X-Portico-Early-Talker: yes\r\n', 'X-Spam: yes\r\n'],
  }
  const agent = { remove: (field: { name: string }) => field.name === 'subject', prepend: [] }
  expect(namesAfter([added, agent])).toContain('x-portico-early-talker')
  expect(namesAfter(egressFirewall([added, agent]))).toEqual(['x-spam', ...HEAD, OURS, OTHERS])
})
