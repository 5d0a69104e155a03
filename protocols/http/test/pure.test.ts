// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { basicValue, readAuthorization } from '../src/basic.js'
import { parseRequestHead, parseResponseHead } from '../src/codec/head.js'
import { backendPath, clientPath, directoryTable, isHealthCheck, placeOf } from '../src/directories.js'
import {
  connectionOptions,
  formatRequest,
  formatResponse,
  hopsOf,
  type OutgoingRequest,
  persists,
} from '../src/headers.js'
import { destinationForBackend, locationForClient, type View } from '../src/mapping.js'
import { failureReply, formatReply } from '../src/replies.js'
import { type Directory, directorySchema, httpSchema } from '../src/schema.js'
import { normalisePath, readTarget } from '../src/target.js'

const LIMITS = { head: 65_536, target: 8_192, fields: 100 }

function directory(mount: string, backend = '/', more: object = {}): Directory {
  return directorySchema.parse({ mount, backendPath: backend, ...more })
}

describe('paths have one normal form (RFC 3986 section 6.2.2)', () => {
  test.each([
    ['/', '/'],
    ['/dav/alice/cal.ics', '/dav/alice/cal.ics'],
    ['/d%61v/%7Ealice', '/dav/~alice'],
    ['/a%c3%a9', '/a%C3%A9'],
    ['/a//b///c', '/a/b/c'],
    ['/100%25', '/100%25'],
    ['/100%25%20done', '/100%25%20done'],
    ['/a;b=c/d', '/a;b=c/d'],
    ['/.well-known/caldav', '/.well-known/caldav'],
    ['/...', '/...'],
    ['/a.b..c', '/a.b..c'],
    ['/user@example.com/', '/user@example.com/'],
  ])('%s is %s', (path, normal) => {
    expect(normalisePath(path)).toBe(normal)
    expect(normalisePath(normal)).toBe(normal)
  })

  test.each([
    ['dot segments', '/a/../b'],
    ['a dot segment at the end', '/a/..'],
    ['a single dot', '/a/./b'],
    ['escaped dots', '/a/%2e%2e/b'],
    ['half escaped dots', '/a/.%2E/b'],
    ['dots with a parameter', '/a/..;x=1/b'],
    ['an escaped slash', '/a%2fb'],
    ['an escaped slash in upper case', '/a%2Fb'],
    ['a backslash', '/a\\b'],
    ['an escaped backslash', '/a%5cb'],
    ['NUL', '/a%00'],
    ['a line end', '/a%0d%0aSet-Cookie:x'],
    ['DEL', '/a%7f'],
    ['a doubly escaped dot', '/a/%252e%252e/'],
    ['a doubly escaped slash', '/a%252fb'],
    ['an escape spelled by escapes', '/a/%25%32%65'],
    ['a broken escape', '/a%2'],
    ['an escape that is none', '/a%zz'],
    ['an authority', '//evil.example/'],
    ['a fragment', '/a#b'],
    ['a quote', '/a"b'],
    ['no slash', 'a'],
  ])('%s is refused', (_label, path) => {
    expect(normalisePath(path)).toBeUndefined()
  })
})

describe('request targets (RFC 9112 section 3.2)', () => {
  test.each([
    ['/a?b=c', { kind: 'path', path: '/a', query: '?b=c', authority: undefined }],
    ['/a?b=/../%2f', { kind: 'path', path: '/a', query: '?b=/../%2f', authority: undefined }],
    ['http://mail.example.com/a', { kind: 'path', path: '/a', query: '', authority: 'mail.example.com' }],
    ['https://[::1]:8443', { kind: 'path', path: '/', query: '', authority: '[::1]:8443' }],
    ['http://x?q', { kind: 'path', path: '/', query: '?q', authority: 'x' }],
    ['*', { kind: 'asterisk' }],
    ['http://user@evil/a', { kind: 'bad' }],
    ['ftp://x/', { kind: 'bad' }],
    ['mail.example.com:443', { kind: 'bad' }],
    ['/a?b#c', { kind: 'bad' }],
    ['http:///a', { kind: 'bad' }],
  ])('%s', (target, expected) => {
    expect(readTarget(target)).toEqual(expected)
  })
})

describe('virtual directories', () => {
  const table = directoryTable([directory('/'), directory('/dav'), directory('/dav/shared'), directory('/Owa')])

  test.each([
    ['/', '/', '/'],
    ['/x', '/', '/x'],
    ['/dav', '/dav', ''],
    ['/dav/', '/dav', '/'],
    ['/DAV/x', '/dav', '/x'],
    ['/davx', '/', '/davx'],
    ['/dav/shared/a', '/dav/shared', '/a'],
    ['/dav/sharedx', '/dav', '/sharedx'],
    ['/owa/a', '/Owa', '/a'],
  ])('%s belongs to %s', (path, mount, rest) => {
    const placed = placeOf(table, path)
    expect([placed?.directory.mount, placed?.rest]).toEqual([mount, rest])
  })

  test('what no directory holds has no place', () => {
    expect(placeOf(directoryTable([directory('/dav')]), '/other')).toBeUndefined()
  })

  test.each([
    ['/dav', '/', '', '/x', '/x'],
    ['/dav', '/', '', '', '/'],
    ['/dav', '/SOGo/dav', '', '/x', '/SOGo/dav/x'],
    ['/', '/', '', '/x', '/x'],
    ['/dav', '/', '/base', '/x', '/base/x'],
    ['/dav', '/', '/base', '', '/base'],
  ])('mount %s, backend path %s at %j: %j becomes %s and back', (mount, backend, base, rest, path) => {
    const entry = directory(mount, backend)
    expect(backendPath(entry, base, rest)).toBe(path)
    const back = clientPath(entry, base, path)
    expect(back).toBe(rest === '' && path === '/' ? `${mount}/` : `${mount === '/' ? '' : mount}${rest}`)
  })

  test.each([
    ['/healthcheck.htm', true],
    ['/HealthCheck.HTM', true],
    ['/owa/healthcheck.htm', true],
    ['/dav/shared/healthcheck.htm', true],
    ['/other/healthcheck.htm', false],
    ['/healthcheck.html', false],
  ])('%s asks for health: %s', (path, expected) => {
    expect(isHealthCheck(table, path)).toBe(expected)
  })

  test('mounts that differ in case only are refused, and mounts that are no plain path', () => {
    expect(httpSchema.safeParse({ directories: [{ mount: '/a' }, { mount: '/A/' }] }).success).toBe(false)
    expect(httpSchema.safeParse({ directories: [{ mount: '/a/../b' }] }).success).toBe(false)
    expect(httpSchema.safeParse({ directories: [{ mount: '/a', auth: [] }] }).success).toBe(false)
  })

  test('without a block everything is one directory', () => {
    expect(httpSchema.parse(undefined).directories).toEqual([directory('/')])
  })
})

describe('addresses are mapped both ways', () => {
  const view: View = {
    directory: directory('/dav', '/SOGo'),
    base: '',
    clientAuthority: 'mail.example.com',
    clientScheme: 'https',
    backendAuthority: 'web1.internal:8080',
  }
  const table = directoryTable([view.directory, directory('/other')])

  test.each([
    ['a path below', '/SOGo/x?y#z', '/dav/x?y#z'],
    ['the directory itself', '/SOGo', '/dav'],
    ['a path outside', '/SOGoX/x', '/SOGoX/x'],
    ['the backend by its own name', 'http://web1.internal:8080/SOGo/x', 'https://mail.example.com/dav/x'],
    ['the client by its name, over http', 'http://mail.example.com/SOGo/x', 'https://mail.example.com/dav/x'],
    ['another server', 'https://elsewhere.example/SOGo/x', 'https://elsewhere.example/SOGo/x'],
    ['an authority without a scheme', '//elsewhere.example/SOGo', '//elsewhere.example/SOGo'],
    ['a relative reference', 'x/y', 'x/y'],
  ])('Location: %s', (_label, value, expected) => {
    expect(locationForClient(view, value)).toBe(expected)
  })

  test.each([
    ['absolute', 'https://mail.example.com/dav/b', { kind: 'mapped', value: 'https://mail.example.com/SOGo/b' }],
    ['a path', '/dav/b', { kind: 'mapped', value: '/SOGo/b' }],
    ['another server (RFC 4918 section 9.8.5)', 'https://elsewhere/dav/b', { kind: 'elsewhere' }],
    ['another directory', '/other/b', { kind: 'elsewhere' }],
    ['outside', '/b', { kind: 'elsewhere' }],
    ['a trick', '/dav/../b', { kind: 'bad' }],
    ['nonsense', 'b', { kind: 'bad' }],
  ])('Destination: %s', (_label, value, expected) => {
    expect(destinationForBackend(view, table, value)).toEqual(expected)
  })
})

describe('a backend that is told the mount sees addresses as the client does', () => {
  const view: View = {
    directory: directory('/dav', '/', { prefixField: 'X-Script-Name' }),
    base: '',
    clientAuthority: 'mail.example.com',
    clientScheme: 'https',
    backendAuthority: 'web1.internal:8080',
  }

  test.each([
    ['/dav/x', '/dav/x'],
    ['http://mail.example.com/dav/x', 'https://mail.example.com/dav/x'],
  ])('Location %s is %s', (value, expected) => {
    expect(locationForClient(view, value)).toBe(expected)
  })

  test('Destination stays, and is checked all the same', () => {
    const table = directoryTable([view.directory])
    expect(destinationForBackend(view, table, '/dav/%62')).toEqual({ kind: 'mapped', value: '/dav/b' })
    expect(destinationForBackend(view, table, '/b')).toEqual({ kind: 'elsewhere' })
  })
})

describe('Basic credentials (RFC 7617)', () => {
  const encoded = (text: string | Buffer) => Buffer.from(text as string).toString('base64')
  test.each([
    [`Basic ${encoded('alice:secret')}`, 'alice', 'secret'],
    [`basic ${encoded('alice:se:cret')}`, 'alice', 'se:cret'],
    [`BASIC  ${encoded('alice:')}`, 'alice', ''],
    [`Basic ${encoded('älice:pässword')}`, 'älice', 'pässword'],
    [`Basic ${encoded(Buffer.from('\xe4lice:p\xe4ss', 'latin1'))}`, 'älice', 'päss'],
  ])('%s', (value, user, password) => {
    expect(readAuthorization(value)).toEqual({ kind: 'basic', user, password })
  })

  test.each([
    ['Bearer abc', 'other-scheme'],
    ['Negotiate YII', 'other-scheme'],
    ['Basic', 'malformed'],
    ['Basic !!!', 'malformed'],
    [`Basic ${encoded('alice:secret')}=`, 'malformed'],
    [`Basic ${encoded('nocolon')}`, 'malformed'],
    [`Basic ${encoded('al\nice:secret')}`, 'malformed'],
    [`Basic ${encoded('alice:sec\0ret')}`, 'malformed'],
    ['', 'malformed'],
  ])('%j is %s', (value, kind) => {
    expect(readAuthorization(value).kind).toBe(kind)
  })

  test('a name with a colon cannot be said to a backend', () => {
    expect(basicValue('a:b', 'c')).toBeUndefined()
    expect(basicValue('a', 'b\r\nX: y')).toBeUndefined()
  })
})

function fieldsOf(lines: string) {
  const head = parseRequestHead(Buffer.from(`GET / HTTP/1.1\r\n${lines}\r\n`, 'latin1'), LIMITS)
  if (head.kind === 'bad') throw new Error(head.why)
  return head.fields
}

function forwarded(lines: string, more: Partial<OutgoingRequest> = {}): string[] {
  const fields = fieldsOf(lines)
  const text = formatRequest({
    method: 'GET',
    target: '/x',
    host: 'mail.example.com',
    fields,
    options: connectionOptions(fields),
    body: { kind: 'none' },
    identity: undefined,
    reserved: [],
    destination: undefined,
    prefix: undefined,
    forwarded: { for: '192.0.2.1', proto: 'https', host: 'mail.example.com' },
    isProxy: false,
    ...more,
  })
  return text.split('\r\n').slice(2, -2)
}

const OURS = [
  'Via: 1.1 portico',
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
    ['cookies', 'Cookie: a=b\r\n', ['Cookie: a=b']],
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
    const seen = { for: '198.51.100.7, 192.0.2.1', proto: 'https', host: 'mail.example.com' } as const
    expect(forwarded(said, { isProxy: true, forwarded: seen })).toEqual([
      'X-Forwarded-Proto: http',
      'Via: 1.1 portico',
      'X-Forwarded-For: 198.51.100.7, 192.0.2.1',
      'X-Forwarded-Host: mail.example.com',
    ])
  })

  test('the proxies of this kind on the way are counted (RFC 9110 section 7.6.3)', () => {
    expect(hopsOf(fieldsOf('Via: 1.1 portico, 1.0 fred\r\nVia: 1.1 portico (x)\r\n'))).toBe(2)
    expect(hopsOf(fieldsOf('A: b\r\n'))).toBe(0)
  })
})

describe('what passes to a client', () => {
  test('hop-by-hop fields end here, locations are mapped, framing is ours', () => {
    const lines =
      'Connection: close, X-Once\r\nX-Once: 1\r\nServer: x\r\nContent-Length: 9\r\nLocation: /b\r\nWWW-Authenticate: Digest\r\n'
    const head = parseResponseHead(Buffer.from(`HTTP/1.1 201 Created\r\n${lines}\r\n`), LIMITS)
    if (head.kind === 'bad') throw new Error(head.why)
    const text = formatResponse({
      ...head,
      options: connectionOptions(head.fields),
      own: 'Own: 1\r\n',
      mapLocation: (value) => `/m${value}`,
    })
    expect(text).toBe(
      'HTTP/1.1 201 Created\r\nServer: x\r\nWWW-Authenticate: Digest\r\nLocation: /m/b\r\nOwn: 1\r\n\r\n',
    )
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
    const reply = failureReply(reason, 'Mail')
    expect(reply.status).toBe(status)
    expect(reply.fields.includes('WWW-Authenticate: Basic realm="Mail", charset="UTF-8"')).toBe(status === 401)
    expect(reply.fields.includes('Retry-After: ')).toBe(status === 429 || status === 503)
    const text = formatReply(reply, { persist: false, minor: 1, head: false, wallNow: 0 })
    expect(text.startsWith(`HTTP/1.1 ${status} `)).toBe(true)
    expect(text.replaceAll('\r\n', '')).not.toMatch(/\r/)
  })

  test('a throttled client is told how long', () => {
    expect(failureReply('throttled', 'Mail', 90_000).fields).toBe('Retry-After: 90\r\n')
  })
})
