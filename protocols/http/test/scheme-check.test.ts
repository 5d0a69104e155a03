// SPDX-License-Identifier: MIT
import { HTTP_SCHEMES, type HttpScheme } from '@portico/auth'
import type { BackendIdentity } from '@portico/base'
import { expect, test } from 'vitest'
import { httpSchema } from '../src/schema.js'
import { schemeProblems } from '../src/sign-in/check.js'

type Kind = BackendIdentity['kind']

function problemsOf(
  directory: object,
  identities: Readonly<Record<string, Kind>>,
  schemes: readonly HttpScheme[] = HTTP_SCHEMES,
): string[] {
  const [made] = httpSchema.parse({ directories: [{ mount: '/', ...directory }] }).directories
  if (made === undefined) throw new Error('no directory')
  return schemeProblems(made, {
    listeners: [],
    backendGroups: Object.keys(identities),
    networks: ['office'],
    mechanisms: [],
    schemes,
    identities: new Map(Object.entries(identities)),
    balanced: false,
    nodesShareState: false,
    isToldOf: true,
    partlyDeferred: false,
    pathOf: (path) => path,
  }).map(({ path, expectation }) => `${path.join('.')}: ${expectation}`)
}

test.each([
  ['a password for a backend that takes passwords', ['basic', 'forms'], 'password'],
  ['a token for a backend that takes tokens', ['bearer'], 'token'],
  ['anything for a backend that believes us', ['negotiate', 'ntlm', 'basic', 'bearer', 'forms'], 'header'],
  ['anything for a backend that asks nobody', ['negotiate', 'ntlm', 'basic', 'bearer', 'forms'], 'none'],
] as const)('%s is no problem', (_label, auth, identity) => {
  expect(problemsOf({ auth }, { web: identity })).toEqual([])
})

test.each([
  ['bearer', 'password', 'token, header, none'],
  ['ntlm', 'password', 'header, none'],
  ['negotiate', 'token', 'header, none'],
  ['basic', 'token', 'password, header, none'],
  ['forms', 'token', 'password, header, none'],
] as const)('%s leaves nothing for a backend of identity %s', (scheme, identity, works) => {
  const expectation = `expected a scheme that leaves something for backends of identity ${identity}: ${scheme} is for ${works}`
  expect(problemsOf({ auth: [scheme] }, { web: identity })).toEqual([`auth.0: ${expectation}`])
  const auth = [identity === 'token' ? 'bearer' : 'basic']
  expect(problemsOf({ auth, authFor: [{ networks: ['office'], auth: [scheme] }] }, { web: identity })).toEqual([
    `authFor.0.auth.0: ${expectation}`,
  ])
})

test('what Portico answers itself leaves nothing for any backend, and need not', () => {
  expect(problemsOf({ preset: 'autodiscover', auth: ['negotiate', 'ntlm'] }, { web: 'password' })).toEqual([])
  expect(problemsOf({ preset: 'autodiscover', auth: ['ntlm'], group: 'web' }, { web: 'password' })).toHaveLength(1)
})

test('only the group that the directory names counts, and any of all groups where it names none', () => {
  const groups = { old: 'password', new: 'token' } as const
  expect(problemsOf({ auth: ['bearer'] }, groups)).toEqual([])
  expect(problemsOf({ auth: ['bearer'], group: 'new' }, groups)).toEqual([])
  expect(problemsOf({ auth: ['bearer'], group: 'old' }, groups)).toHaveLength(1)
})

test('what a preset lists is no mistake of the site, as long as something of it works', () => {
  expect(problemsOf({ preset: 'ews' }, { web: 'password' })).toEqual([])
  expect(problemsOf({ preset: 'ews' }, { web: 'token' })).toEqual([])
  const none = [
    'auth: expected a scheme that leaves something for backends of identity token: basic is for password, header, none',
  ]
  expect(problemsOf({ preset: 'ews' }, { web: 'token' }, ['BASIC', 'FORMS'])).toEqual(none)
  expect(problemsOf({}, { web: 'token' })).toEqual(none)
})
