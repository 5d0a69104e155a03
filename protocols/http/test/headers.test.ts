// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import {
  connectionOptions,
  formatRequest,
  formatResponse,
  hopsOf,
  type OutgoingRequest,
  persists,
} from '../src/backend/headers.js'
import { longestRest } from '../src/backend/keep-alive.js'
import { parseRequestHead, parseResponseHead } from '../src/codec/head.js'
import type { View } from '../src/directory/mapping.js'
import { directorySchema } from '../src/directory/schema.js'
import { failureReply, formatReply, isChallenge } from '../src/replies.js'
import { challenges } from '../src/sign-in/challenges.js'

const LIMITS = { head: 65_536, target: 8_192, fields: 100 }

function fieldsOf(lines: string) {
  const head = parseRequestHead(Buffer.from(`GET / HTTP/1.1\r\n${lines}\r\n`, 'latin1'), LIMITS)
  if (head.kind === 'bad') throw new Error(head.why)
  return head.fields
}

function forwarded(lines: string, more: Partial<OutgoingRequest> = {}): string[] {
  const fields = fieldsOf(lines)
  const text = formatRequest({
    version: '1.1',
    method: 'GET',
    target: '/x',
    host: 'mail.example.com',
    fields,
    options: connectionOptions(fields),
    body: { kind: 'none' },
    identity: undefined,
    reserved: [],
    named: '',
    told: '',
    upgrades: [],
    expectsContinue: false,
    forwarded: { clients: ['192.0.2.1'], proto: 'https', host: 'mail.example.com' },
    isProxy: false,
    ...more,
  })
  return text.split('\r\n').slice(2, -2)
}

const OURS = [
  'Via: 1.1 portico',
  'Forwarded: for=192.0.2.1;proto=https;host=mail.example.com',
  'X-Forwarded-For: 192.0.2.1',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: mail.example.com',
]

describe('what passes to a backend', () => {
  test.each([
    ['an end-to-end field, as it came', 'Accept:  */* \r\nDepth: 1\r\n', ['Accept:  */* ', 'Depth: 1']],
    [
      'hop-by-hop fields (RFC 9110 section 7.6.1)',
      'Keep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nA: b\r\nTrailer: X\r\n',
      ['A: b'],
    ],
    ['what Connection names', 'Connection: close, X-Once\r\nX-Once: 1\r\nX-Other: 2\r\n', ['X-Other: 2']],
    ['proxy fields', 'Proxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\n', []],
    ['credentials', 'Authorization: Basic eA==\r\n', []],
    ['names with an underscore, which gateways fold', 'X_Remote_User: bob\r\nContent_Length: 5\r\nA: b\r\n', ['A: b']],
    [
      'who the user is',
      'X-Remote-User: bob\r\nRemote-User: bob\r\nX-Forwarded-User: bob\r\nX-WebAuth-User: bob\r\n',
      [],
    ],
    ['which path is meant', 'X-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\nX-Script-Name: /\r\n', []],
    ['steering of other front ends', 'X-CommonAccessToken: x\r\nX-BackEndCookie: x\r\nX-BEResource: x\r\n', []],
    [
      'client facts of somebody who is no proxy',
      'X-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nX-Forwarded-Proto: http\r\n',
      [],
    ],
    [
      'who the user is, by any name of a family',
      'X-WebObjects-Remote-User: bob\r\nX-Auth-Request-Email: b\r\nX-MS-Client-Principal-Name: b\r\nX-MS-Any-Identity: b\r\n',
      [],
    ],
    [
      'what looks like such a name and is none',
      'X-MS-PolicyKey: 1\r\nX-MS-ASProtocolVersion: 14.1\r\nX-Remot: 1\r\nX-MS-: 1\r\n',
      ['X-MS-PolicyKey: 1', 'X-MS-ASProtocolVersion: 14.1', 'X-Remot: 1', 'X-MS-: 1'],
    ],
    ['how the client came', 'X-SSL-Client-Verify: SUCCESS\r\nSSL-Client-Cert: x\r\nCF-Connecting-IP: 10.0.0.1\r\n', []],
    ['which server is meant', 'X-AnonResource-Backend: evil.example\r\nX-BackEnd-Anything: x\r\n', []],
    ['an Upgrade that is not asked for', 'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n', []],
    ['cookies', 'Cookie: a=b\r\n', ['Cookie: a=b']],
    [
      'cookies in several fields, as one (RFC 6265 section 5.4)',
      'Cookie: a=b\r\nCookie: c=d\r\n',
      ['Cookie: a=b; c=d'],
    ],
    [
      'cookies of ours, and those that name a server',
      'Cookie: a=portico; Portico-session=x; __Host-portico=y; X-BEResource=x@evil.example:444/a~1; X-AnonResource=true;b=c\r\n',
      ['Cookie: a=portico; b=c'],
    ],
    [
      'cookies with commas in them, whole, but for those behind whose comma such a name stands',
      'Cookie: a={"x":1,"y":2}; portico-x=y; b=c, Portico-y=z; d=e,f\r\n',
      ['Cookie: a={"x":1,"y":2}; d=e,f'],
    ],
    ['no cookie at all where none is left', 'Cookie: portico=x\r\n', []],
  ])('%s', (_label, lines, passed) => {
    expect(forwarded(lines)).toEqual([...passed, ...OURS])
  })

  test('what Connection names cannot take our own fields away', () => {
    expect(forwarded('Connection: X-Forwarded-For, Host, Via\r\n')).toEqual(OURS)
  })

  test('the trusted identity header comes from us alone', () => {
    const more = { identity: { name: 'X-Site-User', value: 'alice' }, reserved: ['x-site-user'] }
    expect(forwarded('x-site-USER: bob\r\nA: b\r\n', more)).toEqual(['A: b', ...OURS, 'X-Site-User: alice'])
  })

  test('what a proxy of the site said of the client stays', () => {
    const said = 'X-Forwarded-Proto: http\r\nX-Forwarded-For: 198.51.100.7\r\n'
    const seen = { clients: ['198.51.100.7', '192.0.2.1'], proto: 'https', host: 'mail.example.com' } as const
    expect(forwarded(said, { isProxy: true, forwarded: seen })).toEqual([
      'X-Forwarded-Proto: http',
      'Via: 1.1 portico',
      'Forwarded: for=198.51.100.7, for=192.0.2.1;proto=https;host=mail.example.com',
      'X-Forwarded-For: 198.51.100.7, 192.0.2.1',
      'X-Forwarded-Host: mail.example.com',
    ])
  })

  test('the proxies of this kind on the way are counted (RFC 9110 section 7.6.3)', () => {
    expect(hopsOf(fieldsOf('Via: 1.1 portico, 1.0 fred\r\nVia: 1.1 portico (x)\r\n'))).toBe(2)
    expect(hopsOf(fieldsOf('A: b\r\n'))).toBe(0)
  })
})

const VIEW: View = {
  directory: directorySchema.parse({ mount: '/' }),
  base: '',
  clientAuthority: 'mail.example.com',
  clientScheme: 'https',
  backendAuthority: 'web1.internal:8080',
  backendScheme: 'http',
}

describe('what passes to a client', () => {
  test('hop-by-hop fields end here, locations are mapped, framing is ours', () => {
    const lines =
      'Connection: close, X-Once\r\nX-Once: 1\r\nServer: x\r\nContent-Length: 9\r\nLocation: /b\r\nWWW-Authenticate: Digest\r\n'
    const head = parseResponseHead(Buffer.from(`HTTP/1.1 201 Created\r\n${lines}\r\n`), LIMITS)
    if (head.kind === 'bad') throw new Error(head.why)
    const text = formatResponse({
      head,
      options: connectionOptions(head.fields),
      own: 'Own: 1\r\n',
      view: { ...VIEW, directory: directorySchema.parse({ mount: '/m' }) },
    })
    expect(text).toBe(
      'HTTP/1.1 201 Created\r\nServer: x\r\nWWW-Authenticate: Digest\r\nLocation: /m/b\r\nOwn: 1\r\n\r\n',
    )
  })

  test.each([
    [
      'which server it is',
      'X-FEServer: EX1\r\nX-BEServer: EX2\r\nX-CalculatedBETarget: ex2.inside.lan\r\nX-DiagInfo: EX2\r\n',
    ],
    ['what a front end is to do', 'X-Accel-Redirect: /etc/passwd\r\nX-Sendfile: /etc/passwd\r\n'],
    ['a way around us', 'Alt-Svc: h3=":8443"\r\n'],
    ['who the user is', 'X-Remote-User: alice\r\nAuthorization: Basic eA==\r\nForwarded: for=10.0.0.1\r\n'],
    ['hop-by-hop fields', 'Upgrade: h2c\r\nProxy-Authenticate: Basic\r\nKeep-Alive: timeout=5\r\n'],
    [
      'a cookie in the place of ours',
      'Set-Cookie: __Host-portico=x; Path=/\r\nSet-Cookie:  PORTICO-session=x\r\nSet-Cookie: =portico=x\r\n',
    ],
  ])('a backend does not say %s', (_label, lines) => {
    const passing = 'X-MS-PolicyKey: 1\r\nSet-Cookie: session=portico\r\n'
    const head = parseResponseHead(Buffer.from(`HTTP/1.1 200 OK\r\n${lines}${passing}\r\n`), LIMITS)
    if (head.kind === 'bad') throw new Error(head.why)
    const how = { options: connectionOptions(head.fields), own: '', view: VIEW }
    expect(formatResponse({ head, ...how })).toBe(`HTTP/1.1 200 OK\r\n${passing}\r\n`)
  })

  test.each([
    [1, '', true],
    [1, 'Connection: close\r\n', false],
    [1, 'Connection: Keep-Alive, CLOSE\r\n', false],
    [0, '', false],
    [0, 'Connection: keep-alive\r\n', true],
  ] as const)('HTTP/1.%d with %j persists: %s (RFC 9112 section 9.3)', (minor, lines, expected) => {
    expect(persists(minor, connectionOptions(fieldsOf(lines)))).toBe(expected)
  })
})

describe('failures', () => {
  test.each([
    ['invalid-credentials', 401],
    ['unauthorized-identity', 403],
    ['password-expired', 401],
    ['account-disabled', 403],
    ['protocol-disabled', 403],
    ['network-refused', 403],
    ['encryption-required', 403],
    ['not-authenticated', 401],
    ['mechanism-unavailable', 401],
    ['malformed', 400],
    ['aborted', 400],
    ['too-long', 413],
    ['throttled', 429],
    ['lookup-unavailable', 503],
    ['backend-unavailable', 503],
    ['no-mailbox', 404],
    ['draining', 503],
    ['server-bug', 500],
  ] as const)('%s is %d', (reason, status) => {
    const reply = failureReply(reason, { fields: challenges(['basic'], 'Mail') })
    expect(reply.status).toBe(status)
    expect(isChallenge(reason)).toBe(status === 401)
    expect(reply.fields.includes('Retry-After: ')).toBe(status === 429 || status === 503)
    const text = formatReply(reply, { persist: false, minor: 1, head: false, wallNow: 0 })
    expect(text.startsWith(`HTTP/1.1 ${status} `)).toBe(true)
    expect(text.replaceAll('\r\n', '')).not.toMatch(/\r/)
  })

  test('a body is sent as UTF-8, and its length counts octets', () => {
    const page = { status: 200, fields: '', body: 'für 你', contentType: 'text/html; charset=utf-8' }
    const text = formatReply(page, { persist: true, minor: 1, head: false, wallNow: undefined })
    expect(Buffer.from(text, 'latin1').toString()).toBe(
      'HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 8\r\n\r\nfür 你',
    )
  })

  test('a throttled client is told how long', () => {
    expect(failureReply('throttled', { waitMs: 90_000 }).fields).toBe('Retry-After: 90\r\n')
  })
})

test.each([
  ['nothing', '', Number.POSITIVE_INFINITY],
  ['its time', 'Keep-Alive: timeout=5', 4_000],
  ['and how many requests', 'keep-alive: max=100, Timeout = "15"', 14_000],
  ['that it closes at once', 'Keep-Alive: timeout=1', 0],
  ['that it closes sooner than at once', 'Keep-Alive: timeout=0', 0],
  ['something else', 'Keep-Alive: max=5, mytimeout=3', Number.POSITIVE_INFINITY],
  ['no number', 'Keep-Alive: timeout=soon', Number.POSITIVE_INFINITY],
  ['a number that is none', 'Keep-Alive: timeout=99999999999999999999', Number.POSITIVE_INFINITY],
])('a kept connection rests as long as its backend lets it, which says %s', (_label, line, expected) => {
  const lines = line === '' ? '' : `${line}\r\n`
  const head = parseResponseHead(Buffer.from(`HTTP/1.1 200 OK\r\n${lines}\r\n`), LIMITS)
  if (head.kind === 'bad') throw new Error(head.why)
  expect(longestRest(head.fields)).toBe(expected)
})
