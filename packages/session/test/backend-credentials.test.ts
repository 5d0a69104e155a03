// SPDX-License-Identifier: MIT
import {
  type Backend,
  type BackendIdentity,
  type MailboxLocation,
  networksOf,
  type Principal,
  Secret,
} from '@portico/base'
import type { Leg } from '@portico/net'
import { backendCredentials, passwordMayCross, plainResponse } from '@portico/session'
import { describe, expect, test } from 'vitest'

const location: MailboxLocation = { group: 'g', source: 'test' }
const master: BackendIdentity = { kind: 'master', user: 'proxy', secret: new Secret('masterpw') }

function principal(over: Partial<Principal> = {}): Principal {
  return {
    authcid: 'alice',
    user: 'alice',
    mechanism: 'PLAIN',
    strength: 'plain',
    proof: { password: new Secret('secret') },
    source: 'test',
    epoch: '1',
    fields: new Map(),
    ...over,
  }
}

function backend(over: Partial<Backend> = {}): Backend {
  return {
    id: 'g/imap4/h:1',
    group: 'g',
    protocol: 'imap4',
    address: { kind: 'tcp', host: 'h', port: 1 },
    tls: { mode: 'none', verify: true },
    identity: { kind: 'password' },
    cleartextPasswords: 'loopback',
    path: '',
    ...over,
  }
}

const shown = (
  who: Principal,
  {
    identity = { kind: 'password' },
    deferred = false,
    where = location,
  }: {
    identity?: BackendIdentity
    deferred?: boolean
    where?: MailboxLocation
  } = {},
): string => {
  const credentials = backendCredentials({ principal: who, deferred }, where, backend({ identity }))
  if (credentials.kind === 'none') return `none: ${credentials.why}`
  return Buffer.from(plainResponse(credentials), 'base64').toString('utf8').replaceAll('\0', '|')
}

describe('what is shown to a mailbox backend (RFC 4616 section 2)', () => {
  test('the password of the client', () => expect(shown(principal())).toBe('|alice|secret'))
  test('the name that the backend knows', () =>
    expect(shown(principal(), { where: { ...location, backendUser: 'a17' } })).toBe('|a17|secret'))
  test('a password that the lookup gave', () =>
    expect(shown(principal(), { where: { ...location, backendPassword: new Secret('given') } })).toBe('|alice|given'))
  test('whom the principal acts for', () =>
    expect(shown(principal({ user: 'info', delegate: 'alice' }))).toBe('info|alice|secret'))
  test('the canonical name, however the account was spelled', () =>
    expect(shown(principal({ authcid: 'alice@example.org' }))).toBe('|alice|secret'))
  test('the canonical name of who acts for somebody else, too', () =>
    expect(shown(principal({ authcid: 'alice@example.org', user: 'info', delegate: 'alice' }))).toBe(
      'info|alice|secret',
    ))
  test('a master user for the user', () =>
    expect(shown(principal(), { identity: master })).toBe('alice|proxy|masterpw'))
  test('a master user with a separator', () =>
    expect(shown(principal(), { identity: { ...master, separator: '*' } })).toBe('|alice*proxy|masterpw'))
  test('the password of a deferred login', () => expect(shown(principal(), { deferred: true })).toBe('|alice|secret'))
})

describe('nothing is shown', () => {
  test.each([
    ['by a master user for a deferred login', principal(), { identity: master, deferred: true }],
    [
      'by a stored password for a deferred login',
      principal(),
      { deferred: true, where: { ...location, backendPassword: new Secret('x') } },
    ],
    ['for a name with the separator in it', principal({ user: 'bob*x' }), { identity: { ...master, separator: '*' } }],
    ['for a name with a line break in it', principal({ user: 'a\r\nb' }), {}],
    ['for a name with NUL in it', principal({ user: 'a\0b' }), { identity: master }],
    ['for no name', principal({ user: '' }), { identity: master }],
    ['without a password', principal({ proof: {} }), {}],
    ['by an identity of another protocol', principal(), { identity: { kind: 'xclient' } as const }],
  ])('%s', (_label, who, how) => {
    expect(shown(who, how)).toMatch(/^none: /)
  })
})

describe('whether a password may cross an unencrypted leg', () => {
  const leg = (address: string, family: 4 | 6 | 'unix', tls = false): Leg => {
    const socketPeer = { address, port: 1, family }
    return { tls: tls ? {} : undefined, facts: { peer: socketPeer, local: socketPeer, socketPeer } } as unknown as Leg
  }
  test.each([
    ['TLS', leg('192.0.2.1', 4, true), 'never', true],
    ['never', leg('127.0.0.1', 4), 'never', false],
    ['loopback', leg('127.0.0.1', 4), 'loopback', true],
    ['loopback, IPv6', leg('::1', 6), 'loopback', true],
    ['loopback, Unix', leg('/run/x', 'unix'), 'loopback', true],
    ['elsewhere', leg('192.0.2.1', 4), 'loopback', false],
    ['a listed network', leg('192.0.2.1', 4), networksOf(['192.0.2.0/24']), true],
    ['another network', leg('198.51.100.1', 4), networksOf(['192.0.2.0/24']), false],
  ] as const)('%s', (_label, over, cleartextPasswords, allowed) => {
    expect(passwordMayCross(over, backend({ cleartextPasswords }))).toBe(allowed)
  })
})
