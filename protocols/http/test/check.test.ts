// SPDX-License-Identifier: MIT
import { Secret } from '@portico/base'
import type { SiteFacts } from '@portico/session'
import { expect, test } from 'vitest'
import { httpProblems, httpWarnings } from '../src/check.js'
import { httpSchema } from '../src/schema.js'

type Listener = SiteFacts['listeners'][number]

const PLAIN: Listener = { index: 1, tls: 'none', plaintextPasswords: 'never', options: {} }

function siteOf(...listeners: Partial<Listener>[]): SiteFacts {
  return {
    listeners: listeners.map((listener) => ({ ...PLAIN, ...listener })),
    backendGroups: ['one', 'two'],
    networks: ['office'],
    mechanisms: [],
    schemes: ['BASIC', 'FORMS'],
    identities: new Map(),
    balanced: false,
    nodesShareState: false,
    isToldOf: true,
    partlyDeferred: false,
    pathOf: (path) => path,
  }
}

function problemsOf(http: object, ...listeners: Partial<Listener>[]): string[] {
  const problems = httpProblems(httpSchema.parse(http), siteOf(...listeners))
  return problems.map(({ path, expectation }) => `${path.join('.')}: ${expectation}`)
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

test('a channel of Outlook Anywhere has no end that we would set, and nobody gets one without a sign-in', () => {
  expect(problemsOf({ directories: [{ preset: 'rpc', responseTimeout: '2h' }] })).toEqual([])
  const directories = [{ preset: 'rpc', group: 'one', requestTimeout: '10m', preAuth: ['/rpcproxy.dll'] }]
  expect(problemsOf({ directories })).toEqual([
    'http.directories.0.requestTimeout: expected none: a channel of Outlook Anywhere is one request, and lasts until its ends replace it',
    'http.directories.0.preAuth: expected none: nobody gets a channel without a sign-in',
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

const KEYS = { keys: [new Secret('0123456789abcdef0123456789abcdef')] }
const SITE = siteOf({ tls: 'implicit' })

test.each([
  ['a preset has the page', { directories: [{ preset: 'owa' }] }, SITE, '/owa'],
  ['a directory has it', { directories: [{ mount: '/a' }, { mount: '/b', auth: ['forms'] }] }, SITE, '/b'],
  [
    'it has it for some networks',
    { directories: [{ mount: '/c', authFor: [{ networks: ['office'], auth: ['forms'] }] }] },
    SITE,
    '/c',
  ],
  ['there is no page', { directories: [{ preset: 'ews' }] }, SITE, undefined],
  ['nobody comes', { directories: [{ preset: 'owa' }] }, siteOf(), undefined],
  ['the nodes have keys', { directories: [{ preset: 'owa' }], forms: KEYS }, SITE, undefined],
  ['the nodes share state', { directories: [{ preset: 'owa' }] }, { ...SITE, nodesShareState: true }, undefined],
])('a site is told that cookies stay on one node: %s', (_label, http, site, mount) => {
  const warnings = httpWarnings(httpSchema.parse(http), site)
  expect(warnings).toEqual(
    mount === undefined
      ? []
      : [expect.stringContaining(`http.forms.keys: none are set, so that cookies of the sign-in page of ${mount} `)],
  )
})

test.each([
  ['backends judge some users', { preset: 'autodiscover' }, true, 1],
  ['one kind of source judges all', { preset: 'autodiscover' }, false, 0],
  ['a group answers', { preset: 'autodiscover', group: 'one' }, true, 0],
])('Autodiscover that tells whom a source knows is warned of: %s', (_, directory, partlyDeferred, count) => {
  const settings = httpSchema.parse({ directories: [directory] })
  const warnings = httpWarnings(settings, { ...siteOf({ tls: 'implicit' }), partlyDeferred })
  expect(warnings.filter((text) => text.startsWith('credentials: '))).toHaveLength(count)
})

test.each([
  ['nobody is told where HTTP is', { preset: 'autodiscover' }, false, 1],
  ['clients are told', { preset: 'autodiscover' }, true, 0],
  ['a group answers', { preset: 'autodiscover', group: 'one' }, false, 0],
  ['nobody answers', { preset: 'caldav' }, false, 0],
])('Autodiscover without anything to tell is warned of: %s', (_, directory, isToldOf, count) => {
  const settings = httpSchema.parse({ directories: [directory] })
  const warnings = httpWarnings(settings, { ...siteOf({ tls: 'implicit' }), isToldOf })
  expect(warnings.filter((text) => text.startsWith('publish.http: '))).toHaveLength(count)
})
