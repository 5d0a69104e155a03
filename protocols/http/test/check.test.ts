// SPDX-License-Identifier: MIT
import type { SiteFacts } from '@portico/session'
import { expect, test } from 'vitest'
import { httpProblems } from '../src/check.js'
import { httpSchema } from '../src/schema.js'

type Listener = SiteFacts['listeners'][number]

const PLAIN: Listener = { index: 1, tls: 'none', plaintextPasswords: 'never', options: {} }

function problemsOf(http: object, ...listeners: Partial<Listener>[]): string[] {
  return httpProblems(httpSchema.parse(http), {
    listeners: listeners.map((listener) => ({ ...PLAIN, ...listener })),
    backendGroups: ['one', 'two'],
    networks: ['office'],
    mechanisms: [],
    schemes: ['BASIC', 'FORMS'],
    identities: new Map(),
    balanced: false,
    pathOf: (path) => path,
  }).map(({ path, expectation }) => `${path.join('.')}: ${expectation}`)
}

test('a directory goes to a group that exists', () => {
  const directories = [{ mount: '/dav', group: 'one' }, { mount: '/web' }, { mount: '/old', group: 'gone' }]
  expect(problemsOf({ directories })).toEqual(['http.directories.2.group: expected one of the groups one, two'])
})

test('schemes by network name networks that there are, and schemes that are served', () => {
  const authFor = [{ networks: ['office', 'elsewhere'], auth: ['negotiate', 'basic'] }]
  expect(problemsOf({ directories: [{ mount: '/', auth: ['basic', 'ntlm'], authFor }] })).toEqual([
    'http.directories.0.auth.1: expected one of basic, forms: nothing under credentials serves ntlm',
    'http.directories.0.authFor.0.auth.0: expected one of basic, forms: nothing under credentials serves negotiate',
    'http.directories.0.authFor.0.networks.1: expected the name of one of the networks',
  ])
})

test('what a preset knows of schemes is no mistake', () => {
  expect(problemsOf({ directories: [{ preset: 'ews' }] })).toEqual([])
})

test('paths without a sign-in need a group, because nobody is known whose location could be asked', () => {
  const preAuth = ['/logo.png']
  expect(problemsOf({ directories: [{ mount: '/a', preAuth, group: 'one' }] })).toEqual([])
  expect(problemsOf({ directories: [{ mount: '/a', preAuth }] })).toEqual([
    'http.directories.0.preAuth: expected a group: nobody is known whose location could be asked',
  ])
})

test('a door has no TLS, and leads somewhere', () => {
  const httpsUrl = 'https://mail.example.com'
  expect(problemsOf({ httpsUrl }, { options: { door: true } })).toEqual([])
  expect(problemsOf({}, { options: { door: true } })).toEqual([
    'listeners.1.door: expected http.httpsUrl, where a door leads',
  ])
  expect(problemsOf({ httpsUrl }, { tls: 'implicit', options: { door: true } })).toEqual([
    'listeners.1.door: expected tls: none, which is what a door leads away from',
  ])
})

test('HTTP has no STARTTLS', () => {
  expect(problemsOf({}, { tls: 'starttls' })).toEqual([
    'listeners.1.tls: expected none or implicit: HTTP has no STARTTLS',
  ])
})

test('a webroot needs a door that shows it', () => {
  const http = { acmeWebroot: '/var/www', httpsUrl: 'https://mail.example.com' }
  const expected = ['http.acmeWebroot: expected a listener that is a door: tls: none, and http.httpsUrl']
  expect(problemsOf(http, { tls: 'implicit' }, { index: 2 })).toEqual([])
  expect(problemsOf(http, { plaintextPasswords: 'always', options: { door: true } })).toEqual([])
  expect(problemsOf(http)).toEqual([])
  expect(problemsOf(http, { tls: 'implicit' })).toEqual(expected)
  expect(problemsOf(http, { plaintextPasswords: 'always' })).toEqual(expected)
  expect(problemsOf(http, { options: { door: false } })).toEqual(expected)
  expect(problemsOf({ acmeWebroot: '/var/www' }, {})).toEqual(expected)
})
