// SPDX-License-Identifier: MIT
import { type Backend, type BackendIdentity, type MailboxLocation, type Principal, Secret } from '@portico/base'
import type { Leg } from '@portico/net'
import { describe, expect, test } from 'vitest'
import { assertionFor } from '../src/backend/identity.js'

const KIM: Principal = {
  authcid: 'kim',
  user: 'kim',
  mechanism: 'BASIC',
  strength: 'plain',
  proof: { password: new Secret('secret'), token: new Secret('the.token') },
  source: 'site',
  epoch: '1',
  fields: new Map(),
}
const HELP: Principal = { ...KIM, user: 'help', delegate: 'kim' }
const PASSWORD = { kind: 'password' } as const
const TOKEN = { kind: 'token' } as const
const HEADER = { kind: 'header', name: 'X-User' } as const

interface Case {
  readonly identity: BackendIdentity
  readonly principal?: Principal
  readonly deferred?: boolean
  readonly location?: Partial<MailboxLocation>
  readonly cleartext?: 'never' | 'loopback'
}

function told({ identity, principal = KIM, deferred = false, location = {}, cleartext = 'loopback' }: Case): string {
  const backend = { identity, cleartextPasswords: cleartext } as Backend
  const leg = { tls: undefined, facts: { socketPeer: { address: '127.0.0.1', port: 80, family: 4 } } } as unknown as Leg
  const answer = assertionFor(backend, leg, { principal, deferred }, { group: 'web', source: 'test', ...location })
  if (answer.kind === 'field') return `${answer.name}: ${answer.value}`
  return answer.kind === 'nothing' ? 'nothing' : answer.why
}

const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`

describe('what a backend is told of the user', () => {
  test.each<[string, Case, string]>([
    ['a password', { identity: PASSWORD }, basic('kim:secret')],
    ['under the name of the location', { identity: PASSWORD, location: { backendUser: 'k' } }, basic('k:secret')],
    [
      'the password of the location',
      { identity: PASSWORD, location: { backendPassword: new Secret('p') } },
      basic('kim:p'),
    ],
    ['a token', { identity: TOKEN }, 'Authorization: Bearer the.token'],
    ['a header', { identity: HEADER }, 'X-User: kim'],
    ['nothing', { identity: { kind: 'none' } }, 'nothing'],
    ['a header of a delegate names the mailbox', { identity: HEADER, principal: HELP }, 'X-User: help'],
    ['no password of a delegate', { identity: PASSWORD, principal: HELP }, 'no-password'],
    ['no token of a delegate', { identity: TOKEN, principal: HELP }, 'no-token'],
    ['no token that was not shown', { identity: TOKEN, principal: { ...KIM, proof: {} } }, 'no-token'],
    ['no password where others could read it', { identity: PASSWORD, cleartext: 'never' }, 'cleartext-forbidden'],
    ['no token where others could read it', { identity: TOKEN, cleartext: 'never' }, 'cleartext-forbidden'],
    ['no name with a line end', { identity: HEADER, principal: { ...KIM, user: 'a\r\nX: y' } }, 'bad-name'],
  ])('%s', (_label, given, field) => {
    expect(told(given)).toBe(field)
  })

  test.each<[string, Case, string]>([
    ['its own password', { identity: PASSWORD }, basic('kim:secret')],
    ['no name that it would be believed', { identity: HEADER }, 'not-proved'],
    [
      'no password of the location',
      { identity: PASSWORD, location: { backendPassword: new Secret('p') } },
      'not-proved',
    ],
  ])('of a deferred sign-in, which has proved nothing yet: %s', (_label, given, field) => {
    expect(told({ ...given, deferred: true })).toBe(field)
  })
})
