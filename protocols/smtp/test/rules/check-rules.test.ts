// SPDX-License-Identifier: MIT
// biome-ignore-all lint/suspicious/noThenProperty: the word of the language; nobody awaits a rule.
import { validate } from '@portico/config'
import { expect, test } from 'vitest'
import { smtpWarnings } from '../../src/check.js'
import { insideProblems } from '../../src/rules/check-rules.js'
import { smtpSchema } from '../../src/schema.js'

const LATE = 'smtp.agents[0].rules[0]: sclOver hears nothing of rspamd'
const SILENT = 'smtp.agents[0].rules[0]: no message is of type voice or fax'
const scl = { name: 'r', if: { sclOver: 5 }, stop: true }
const voice = { name: 'r', except: { messageType: ['encrypted', 'voice'] }, stop: true }
const rspamd = { type: 'rspamd' }

test.each<[string, readonly object[], readonly string[]]>([
  ['a level that is found later', [{ type: 'rules', rules: [scl] }, rspamd], [LATE]],
  ['a level that is found before', [{ type: 'rules', priority: 41, rules: [scl] }, rspamd], []],
  [
    'a level that is found before, because the site says so',
    [
      { type: 'rules', rules: [scl] },
      { ...rspamd, priority: 5 },
    ],
    [],
  ],
  ['a level without rspamd', [{ type: 'rules', rules: [scl] }], []],
  ['a rule that is off', [{ type: 'rules', rules: [{ ...scl, enabled: false }] }, rspamd], []],
  ['a kind that nobody finds', [{ type: 'rules', rules: [voice] }], [SILENT]],
])('the check warns of %s, or does not', (_label, agents, expected) => {
  const found = smtpWarnings(validate(smtpSchema, { agents }))
  expect(found.map((text) => expected.find((one) => text.startsWith(one)) ?? text)).toEqual(expected)
})

test('a network that nobody has configured is a mistake, and the one of the default need not be there', () => {
  const rules = [{ name: 'r', if: { fromScope: 'in' }, stop: true }]
  const agents = [
    { type: 'rules', rules },
    { type: 'rules', inside: ['offices', 'ofices'], rules: [{ ...rules[0], name: 's' }] },
  ]
  expect(insideProblems(validate(smtpSchema, { agents }), { networks: ['offices'] })).toEqual([
    { path: ['smtp', 'agents', 1, 'inside', 1], expectation: 'expected one of the networks offices' },
  ])
})
