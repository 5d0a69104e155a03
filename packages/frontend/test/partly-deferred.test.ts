// SPDX-License-Identifier: MIT
import { checkConfiguration } from '@portico/frontend'
import { expect, test } from 'vitest'
import { toy } from './toy-protocol.js'

const DEFERRED = { type: 'deferred' }
const ASKED = { type: 'auth-http', url: 'http://127.0.0.1:9000/auth' }

test.each([
  ['backends judge everybody', [DEFERRED], false],
  ['backends judge nobody', [ASKED, { ...ASKED, name: 'other' }], false],
  ['backends judge some', [ASKED, DEFERRED], true],
])('a protocol is told whether %s', async (_, credentials, expected) => {
  const config = {
    version: 1,
    listeners: [{ protocol: 'toy', address: '127.0.0.1:0', tls: 'none' }],
    credentials,
    location: [{ type: 'hash', group: 'one' }],
    backends: { one: { toy: { endpoints: ['127.0.0.1:1'] } } },
  }
  const warnings: typeof toy.warnings = (_settings, { partlyDeferred }) => [String(partlyDeferred)]
  const checked = await checkConfiguration({ config, protocols: [{ ...toy, warnings }] })
  expect(checked.warnings).toEqual([String(expected)])
})
