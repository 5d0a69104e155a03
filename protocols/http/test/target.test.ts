// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { looselyRead, normalisePath, readTarget } from '../src/directory/target.js'

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
    ['/a%2fb', '/a%2Fb'],
    ['/a%3bb', '/a%3Bb'],
    ['/caf%E9/x', '/caf%E9/x'],
    ['/%E2%82%AC%F0%9F%98%80', '/%E2%82%AC%F0%9F%98%80'],
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
    ['dots with an escaped parameter', '/a/..%3bx=1/b'],
    ['dots between escaped slashes', '/a%2f..%2fb'],
    ['dots behind an escaped slash', '/a%2f%2e%2e'],
    ['a dot before an escaped slash', '/a/.%2Fb'],
    ['dots with a parameter that holds an escaped slash', '/a/..;%2Fx'],
    ['dots with a space behind them', '/a/..%20/b'],
    ['dots before an escaped query', '/a/..%3fx'],
    ['dots before an escaped fragment', '/a/..%23x'],
    ['dots before the name of a stream', '/a/..:$DATA/b'],
    ['a backslash', '/a\\b'],
    ['an escaped backslash', '/a%5cb'],
    ['NUL', '/a%00'],
    ['a line end', '/a%0d%0aSet-Cookie:x'],
    ['DEL', '/a%7f'],
    ['a doubly escaped dot', '/a/%252e%252e/'],
    ['a doubly escaped slash', '/a%252fb'],
    ['an escape spelled by escapes', '/a/%25%32%65'],
    ['a NUL that is escaped twice', '/a%2500'],
    ['a slash of two octets', '/a%c0%afb'],
    ['a dot of two octets', '/a/%c0%ae%c0%ae/b'],
    ['an upper letter of two octets', '/%c1%afwa'],
    ['a slash of three octets', '/a%e0%80%afb'],
    ['a dot of four octets', '/a/%f0%80%80%ae'],
    ['a dot of five octets', '/a/%f8%80%80%80%ae'],
    ['a dot of six octets', '/a/%fc%80%80%80%80%ae'],
    ['an escape of another kind', '/a%u002fb'],
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

describe('a path as the most lenient server would read it', () => {
  test.each([
    ['/a/b', []],
    ['/owa;x/y', ['/owa/y']],
    ['/owa./y', ['/owa/y']],
    ['/owa%20.%20/y;z', ['/owa%20.%20/y', '/owa/y']],
    ['/owa::$DATA/y:$z', ['/owa/y']],
    ['/o.w%3Ba/y%3Fz', ['/o.w%3Ba/y%3Fz', '/o.w/y?z', '/o.w/y']],
    ['/a;/;/b', ['/a/b']],
    ['/;%2F%3F/b', ['/b', '/?/b', '/']],
  ])('%s', (path, expected) => {
    expect([...new Set(looselyRead(path))]).toEqual(expected)
  })

  test('takes no longer for a run of dots that ends nothing', () => {
    const path = `/a${'.'.repeat(400_000)}x`
    expect(looselyRead(`${path};y`)).toEqual([path])
  })
})
