// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { Field } from '../src/codec/fields.js'
import { FloodGauge } from '../src/http2/flood-gauge.js'
import { readRequestHead } from '../src/http2/request-head.js'
import { responseFields } from '../src/http2/response-fields.js'

const LIMITS = { head: 1024, target: 256, fields: 10 }
const PSEUDO = [':method', 'GET', ':scheme', 'https', ':authority', 'mail.example.com', ':path', '/a?b']

function read(fields: readonly string[], ended = true, pseudo: readonly string[] = PSEUDO) {
  return readRequestHead([...pseudo, ...fields], ended, LIMITS)
}

/** The pseudo-fields with one of them changed, or left out. */
function pseudo(name: string, value: string | undefined): string[] {
  const at = PSEUDO.indexOf(name)
  return [...PSEUDO.slice(0, at), ...(value === undefined ? [] : [name, value]), ...PSEUDO.slice(at + 2)]
}

describe('the fields of a request in HTTP/2', () => {
  test('become a head of HTTP/1.1', () => {
    const head = read(['accept', '*/*', 'cookie', 'a=1', 'x-many', '1', 'cookie', 'b=2', 'te', 'trailers'])
    if (head.kind !== 'request') throw new Error(head.why)
    expect(head).toMatchObject({ method: 'GET', target: '/a?b', minor: 1 })
    expect(head.fields.bytes.toString('latin1')).toBe(
      'GET /a?b HTTP/1.1\r\nhost: mail.example.com\r\naccept: */*\r\nx-many: 1\r\nte: trailers\r\ncookie: a=1; b=2\r\n\r\n',
    )
  })

  test.each([
    ['none', [], true, undefined, undefined],
    ['a known length', ['content-length', '5'], false, '5', undefined],
    ['an unknown length', [], false, undefined, 'chunked'],
    ['a length of nothing', ['content-length', '0'], true, '0', undefined],
  ])('content: %s', (_label, fields, ended, length, coding) => {
    const head = read(fields, ended)
    if (head.kind !== 'request') throw new Error(head.why)
    expect(head.fields.first(Field.contentLength)).toBe(length)
    expect(head.fields.first(Field.transferEncoding)).toBe(coding)
  })

  test('a Host that says the same as :authority, and one without it, are one host', () => {
    for (const head of [
      read(['host', 'MAIL.example.com']),
      read(['host', 'mail.example.com'], true, pseudo(':authority', undefined)),
    ]) {
      if (head.kind !== 'request') throw new Error(head.why)
      expect(head.fields.countOf(Field.host)).toBe(1)
      expect(head.fields.first(Field.host)).toBe('mail.example.com')
    }
  })

  test.each<[string, readonly string[], readonly string[], string]>([
    ['another Host', ['host', 'evil.example'], PSEUDO, 'two-hosts'],
    ['two Hosts', ['host', 'mail.example.com', 'host', 'mail.example.com'], PSEUDO, 'two-hosts'],
    ['no scheme', [], pseudo(':scheme', undefined), 'bad-pseudo-field'],
    ['another scheme', [], pseudo(':scheme', 'http'), 'bad-pseudo-field'],
    ['no method', [], pseudo(':method', undefined), 'bad-pseudo-field'],
    ['a method with a space', [], pseudo(':method', 'GET /evil'), 'bad-pseudo-field'],
    ['no path', [], pseudo(':path', ''), 'bad-pseudo-field'],
    ['a path without a slash', [], pseudo(':path', 'a'), 'bad-pseudo-field'],
    ['the absolute form', [], pseudo(':path', 'https://evil.example/'), 'bad-pseudo-field'],
    ['a path with a line end', [], pseudo(':path', '/a HTTP/1.1\r\nx: y'), 'bad-field'],
    ['a path with a space', [], pseudo(':path', '/a HTTP/1.1'), 'bad-pseudo-field'],
    ['a pseudo-field twice', [], [...PSEUDO, ':path', '/b'], 'bad-pseudo-field'],
    ['a pseudo-field behind a field', ['a', 'b', ':path', '/b'], PSEUDO, 'bad-pseudo-field'],
    ['an unknown pseudo-field', [], [...PSEUDO, ':protocol', 'websocket'], 'bad-pseudo-field'],
    ['a value with CR LF', ['a', 'b\r\nx-remote-user: root'], PSEUDO, 'bad-field'],
    ['a value with NUL', ['a', 'b\0'], PSEUDO, 'bad-field'],
    ['a name with a colon', ['a: b', 'c'], PSEUDO, 'bad-field'],
    ['a name in upper case', ['Accept', 'c'], PSEUDO, 'bad-field'],
    ['an empty name', ['', 'c'], PSEUDO, 'bad-field'],
    ['Connection', ['connection', 'close'], PSEUDO, 'connection-field'],
    ['Transfer-Encoding', ['transfer-encoding', 'chunked'], PSEUDO, 'connection-field'],
    ['Upgrade', ['upgrade', 'websocket'], PSEUDO, 'connection-field'],
    ['TE that asks for more than trailers', ['te', 'gzip'], PSEUDO, 'connection-field'],
    ['a length behind the end', ['content-length', '5'], PSEUDO, 'content-behind-end'],
    ['a control character', ['a', 'b\x01'], PSEUDO, 'bad-field-value'],
  ])('refused: %s', (_label, fields, from, why) => {
    expect(read(fields, true, from)).toMatchObject({ kind: 'bad', status: 400, why })
  })

  test('the limits are those of HTTP/1.1', () => {
    expect(read(['a', 'b'.repeat(1024)])).toMatchObject({ status: 431, why: 'head-too-long' })
    expect(read(Array.from({ length: 22 }, () => 'a'))).toMatchObject({ status: 431, why: 'too-many-fields' })
    expect(read([], true, pseudo(':path', `/${'a'.repeat(256)}`))).toMatchObject({ status: 414 })
  })
})

test('the fields of a response lose their order, and what may not be joined stays apart', () => {
  const fields = responseFields(
    200,
    'HTTP/1.1 200 Fine\r\nVary: a\r\nSet-Cookie: a=1\r\nvary: b\r\nSet-Cookie: b=2\r\nX-Empty:\r\n\r\n',
  )
  expect({ ...fields }).toEqual({ ':status': 200, vary: 'a, b', 'set-cookie': ['a=1', 'b=2'], 'x-empty': '' })
})

test('a flood is what goes on faster than time gives it back', () => {
  let now = 0
  const gauge = new FloodGauge({ now: () => now, wallNow: () => now, after: () => ({ cancel() {} }) })
  const taken = () => Array.from({ length: 300 }, () => gauge.take()).filter(Boolean).length
  expect(taken()).toBe(200)
  now += 10_000
  expect(gauge.take()).toBe(true)
})
