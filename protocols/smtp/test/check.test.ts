// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { smtpProblems } from '../src/check.js'
import { smtpSchema } from '../src/schema.js'

const settings = smtpSchema.parse({ connectors: { partner: { domains: ['example.com'] } } })

test.each([
  ['none', {}, []],
  ['one of the file', { connector: 'partner' }, []],
  ['one that always exists', { connector: 'inbound' }, []],
  [
    'one that does not exist',
    { connector: 'partners' },
    [{ path: ['listeners', 3, 'connector'], expectation: 'expected one of the connectors inbound, client, partner' }],
  ],
])('a listener that names %s', (_, options, problems) => {
  expect(smtpProblems(settings, { listeners: [{ index: 3, options }], backendGroups: [] })).toEqual(problems)
})
