// SPDX-License-Identifier: MIT
import {
  type Authenticator,
  accessRulesSchema,
  authSchema,
  type CredentialSource,
  createAccessRules,
  createAuthenticator,
  createThrottle,
  createUsersFileSource,
} from '@portico/auth'
import { NEVER, type Principal } from '@portico/base'
import { serverMechanisms } from '@portico/sasl'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { clientAt, contextAt, hashThreads, memoryUsersFile, recordingLog } from './helpers.js'

const OUTSIDE = '192.0.2.7'
const WEB = contextAt(OUTSIDE, { client: clientAt(OUTSIDE, { protocol: 'http' }) })

function authenticatorFor(account: string, rules: readonly object[], more: readonly CredentialSource[] = []) {
  const [clock, log] = [createFakeClock(), recordingLog()]
  const settings = authSchema.parse({})
  const file = memoryUsersFile(`kim:{PLAIN}secret::::::${account}\n`)
  const auth = createAuthenticator({
    sources: [...more, createUsersFileSource(file, { hashThreads })],
    mechanisms: serverMechanisms,
    throttle: createThrottle({ settings, state: createMemoryStore({ clock }), clock }),
    accessRules: createAccessRules(accessRulesSchema(['http', 'imap4', 'pop3']).parse(rules), {}),
    clock,
    log,
  })
  return { auth, log }
}

async function signedIn(auth: Authenticator): Promise<Principal> {
  const outcome = await auth.login({ user: 'kim', password: 'secret', scheme: 'BASIC' }, WEB, NEVER)
  if (outcome.kind === 'failed') throw new Error(outcome.reason)
  return outcome.principal
}

const rule = (more: object) => ({ name: 'r', action: 'deny', ...more })

describe('whether somebody may use another protocol', () => {
  test.each<[string, string, readonly object[], string, boolean]>([
    ['nothing is said', '', [], 'imap4', true],
    ['the account is for others', 'protocols=http,pop3', [], 'imap4', false],
    ['the account is for it', 'protocols=http,imap', [], 'imap4', true],
    ['a rule is against it', '', [rule({ protocols: ['imap4'] })], 'imap4', false],
    ['a rule is against another', '', [rule({ protocols: ['pop3'] })], 'imap4', true],
    ['a rule is against it for this user', '', [rule({ protocols: ['imap4'], users: ['k*'] })], 'imap4', false],
    ['a rule is against it for others', '', [rule({ protocols: ['imap4'], exceptUsers: ['kim'] })], 'imap4', true],
    [
      'a rule is against it from here',
      '',
      [rule({ protocols: ['imap4'], networks: ['192.0.2.0/24'] })],
      'imap4',
      false,
    ],
    [
      'a rule is against it from elsewhere',
      '',
      [rule({ protocols: ['imap4'], networks: ['10.0.0.0/8'] })],
      'imap4',
      true,
    ],
    ['a rule is against one way of many', '', [rule({ protocols: ['imap4'], mechanisms: ['PLAIN'] })], 'imap4', true],
    ['a rule is against a way of HTTP', '', [rule({ mechanisms: ['NTLM'] })], 'http', true],
  ])('%s', async (_, account, rules, protocol, expected) => {
    const { auth, log } = authenticatorFor(account, rules)
    const principal = await signedIn(auth)
    const before = log.lines.length
    expect(await auth.mayUse(principal, protocol, WEB, NEVER)).toBe(expected)
    expect(log.lines).toHaveLength(before)
  })

  test('a source that is away says no', async () => {
    let away = false
    const source: CredentialSource = {
      name: 'other',
      serves: new Set(['verify-plain']),
      verify: async () => ({ kind: 'not-here' }),
      account: async () => (away ? { kind: 'unavailable' } : { kind: 'not-here' }),
      async [Symbol.asyncDispose]() {},
    }
    const { auth } = authenticatorFor('', [], [source])
    const principal = await signedIn(auth)
    expect(await auth.mayUse(principal, 'imap4', WEB, NEVER)).toBe(true)
    away = true
    expect(await auth.mayUse(principal, 'imap4', WEB, NEVER)).toBe(false)
  })
})
