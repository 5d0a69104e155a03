// SPDX-License-Identifier: MIT
import { Secret } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { loginSteps } from '../src/backend-login.js'

const credentials = (authcid: string, password: string, authzid?: string) =>
  ({ kind: 'credentials', authcid, authzid, password: new Secret(password) }) as const
const b64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
const plain = new Map([['SASL', ['PLAIN']]])
const none = new Map<string, readonly string[]>()

describe('the sign-in at a backend', () => {
  test.each([
    ['by AUTH PLAIN (RFC 5034)', plain, credentials('al', 'pw', 'bob'), [`AUTH PLAIN ${b64('bob\0al\0pw')}`]],
    [
      'in two lines when one would be too long',
      plain,
      credentials('al', 'p'.repeat(200)),
      ['AUTH PLAIN', b64(`\0al\0${'p'.repeat(200)}`)],
    ],
    ['by USER and PASS elsewhere', none, credentials('ä', 'p w'), ['USER \xc3\xa4', 'PASS p w']],
    ['not by USER on behalf of somebody', none, credentials('al', 'pw', 'bob'), undefined],
    ['not by PASS with a line break in it', none, credentials('al', 'p\r\nDELE 1'), undefined],
  ] as const)('%s', (_label, capabilities, shown, steps) => {
    expect(loginSteps(shown, capabilities)).toEqual(steps)
  })

  test('no command is longer than POP3 allows, whatever the password (RFC 2449 section 4)', () => {
    for (let length = 1; length < 300; length++) {
      const [first = ''] = loginSteps(credentials('alice', 'p'.repeat(length)), plain) ?? []
      expect(first.length + 2).toBeLessThanOrEqual(255)
    }
  })
})
