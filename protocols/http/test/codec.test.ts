// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decoderFor } from '../src/codec/body.js'
import { Field } from '../src/codec/fields.js'
import { requestFraming, responseFraming } from '../src/codec/framing.js'
import {
  checkPartialRequest,
  type HeadLimits,
  parseRequestHead,
  parseResponseHead,
  type ResponseHead,
} from '../src/codec/head.js'
import { HeadCollector } from '../src/codec/head-collector.js'

const LIMITS: HeadLimits = { head: 64 * 1024, target: 8 * 1024, fields: 100 }

function request(text: string) {
  return parseRequestHead(Buffer.from(text, 'latin1'), LIMITS)
}

function response(text: string) {
  return parseResponseHead(Buffer.from(text, 'latin1'), LIMITS)
}

describe('request heads (RFC 9112 section 3)', () => {
  test('method, target, version and fields are read, names in any case', () => {
    const head = request('PROPFIND /dav/a?b HTTP/1.1\r\nHOST: x\r\nContent-LENGTH:  5 \r\nX-Empty:\r\n\r\n')
    if (head.kind === 'bad') throw new Error(head.why)
    expect([head.method, head.target, head.minor]).toEqual(['PROPFIND', '/dav/a?b', 1])
    expect(head.fields.first(Field.host)).toBe('x')
    expect(head.fields.first(Field.contentLength)).toBe('5')
    expect(head.fields.value(2)).toBe('')
  })

  test.each([
    ['another protocol', 'EHLO example.com\r\n\r\n', 400, 'bad-request-line'],
    ['HTTP/0.9', 'GET /\r\n\r\n', 400, 'bad-request-line'],
    ['a newer version', 'GET / HTTP/2.0\r\n\r\n', 505, 'bad-version'],
    ['two spaces', 'GET  / HTTP/1.1\r\n\r\n', 400, 'bad-request-line'],
    ['a tab between', 'GET\t/ HTTP/1.1\r\n\r\n', 400, 'not-http'],
    ['a space in the target', 'GET /a b HTTP/1.1\r\n\r\n', 400, 'not-http'],
    ['white space behind the version', 'GET / HTTP/1.1 \r\n\r\n', 400, 'bad-request-line'],
    ['lower-case http', 'GET / http/1.1\r\n\r\n', 400, 'not-http'],
    ['an octet above ASCII in the target', 'GET /\xe9 HTTP/1.1\r\n\r\n', 400, 'bad-request-line'],
    ['NUL in the target', 'GET /\0 HTTP/1.1\r\n\r\n', 400, 'bad-request-line'],
    ['a bare LF behind the request line', 'GET / HTTP/1.1\nHost: x\r\n\r\n', 400, 'bare-line-end'],
    ['a bare LF behind a field', 'GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n', 400, 'bare-line-end'],
    ['a bare CR in a value', 'GET / HTTP/1.1\r\nHost: x\ry\r\n\r\n', 400, 'bare-line-end'],
    ['a folded line (section 5.2)', 'GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n', 400, 'folded-line'],
    ['a first field line that is folded', 'GET / HTTP/1.1\r\n Host: x\r\n\r\n', 400, 'folded-line'],
    ['a space before the colon (section 5.1)', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', 400, 'space-before-colon'],
    ['a tab before the colon', 'GET / HTTP/1.1\r\nTransfer-Encoding\t: chunked\r\n\r\n', 400, 'space-before-colon'],
    ['a field without a name', 'GET / HTTP/1.1\r\n: x\r\n\r\n', 400, 'bad-field-name'],
    ['a field without a colon', 'GET / HTTP/1.1\r\nHost\r\n\r\n', 400, 'bare-line-end'],
    ['a name that is no token', 'GET / HTTP/1.1\r\nH(st: x\r\n\r\n', 400, 'bad-field-name'],
    ['NUL in a value', 'GET / HTTP/1.1\r\nA: b\0\r\n\r\n', 400, 'bad-field-value'],
    ['DEL in a value', 'GET / HTTP/1.1\r\nA: \x7f\r\n\r\n', 400, 'bad-field-value'],
    ['an escape character in a value', 'GET / HTTP/1.1\r\nA: \x1b[0m\r\n\r\n', 400, 'bad-field-value'],
    [
      'a vertical tab before a coding',
      'GET / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n',
      400,
      'bad-field-value',
    ],
    ['101 fields', `GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(101)}\r\n`, 431, 'too-many-fields'],
    ['64 KiB of head', `GET / HTTP/1.1\r\nA: ${'b'.repeat(65_536)}\r\n\r\n`, 431, 'head-too-long'],
    ['8 KiB of target', `GET /${'a'.repeat(8_192)} HTTP/1.1\r\n\r\n`, 414, 'target-too-long'],
    ['a method of 65 octets', `${'M'.repeat(65)} / HTTP/1.1\r\n\r\n`, 400, 'not-http'],
  ])('%s is refused', (_label, text, status, why) => {
    expect(request(text)).toEqual({ kind: 'bad', status, why })
  })

  test('100 fields are borne', () => {
    expect(request(`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(100)}\r\n`).kind).toBe('request')
  })

  test.each([
    ['a TLS hello', '\x16\x03\x01\x02\x00', 'not-http'],
    ['SMTP', 'EHLO example.com\r\n', 'bad-request-line'],
    ['a bare LF', 'GET / HTTP/1.1\nHost: x\n', 'bare-line-end'],
    ['an endless method', 'A'.repeat(66), 'not-http'],
    ['an endless target', `GET /${'a'.repeat(9_000)}`, 'target-too-long'],
    ['an endless head', `GET / HTTP/1.1\r\nA: ${'b'.repeat(65_536)}`, 'head-too-long'],
  ])('%s is refused before the head is complete', (_label, text, why) => {
    expect(checkPartialRequest(Buffer.from(text, 'latin1'), 0, LIMITS)?.why).toBe(why)
  })

  test.each(['', 'G', 'GET', 'GET /', 'GET / HTTP/1.1\r', 'GET / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nHost: x\r\n'])(
    'the beginning %j may go on',
    (text) => {
      expect(checkPartialRequest(Buffer.from(text, 'latin1'), 0, LIMITS)).toBeUndefined()
    },
  )
})

describe('response heads (RFC 9112 section 4)', () => {
  test.each([
    ['HTTP/1.1 200 OK\r\n\r\n', 200, 'OK', 1],
    ['HTTP/1.0 404 Not here at all\r\nA: b\r\n\r\n', 404, 'Not here at all', 0],
    ['HTTP/1.1 207 \r\n\r\n', 207, '', 1],
    ['HTTP/1.1 204\r\n\r\n', 204, '', 1],
  ])('%j is read', (text, status, reason, minor) => {
    expect(response(text)).toMatchObject({ kind: 'response', status, reason, minor })
  })

  test.each([
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1 200 O\0K\r\n\r\n',
    'HTTP/1.1 200 OK\nA: b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
    '* OK IMAP4rev1 ready\r\n\r\n',
  ])('%j is nonsense', (text) => {
    expect(response(text).kind).toBe('bad')
  })
})

describe('framing of requests (RFC 9112 section 6.3): what could be understood in two ways is refused', () => {
  test.each([
    ['nothing', '', { kind: 'none' }],
    ['a length', 'Content-Length: 5\r\n', { kind: 'length', length: 5 }],
    ['chunked in any case', 'Transfer-Encoding: ChunkeD\r\n', { kind: 'chunked' }],
    ['a length beside a coding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 'length-and-chunked'],
    ['a coding beside a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', 'length-and-chunked'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'several-lengths'],
    ['the same length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n', 'several-lengths'],
    ['a list of lengths', 'Content-Length: 5, 5\r\n', 'several-lengths'],
    ['a signed length', 'Content-Length: +5\r\n', 'bad-length'],
    ['a negative length', 'Content-Length: -1\r\n', 'bad-length'],
    ['a hexadecimal length', 'Content-Length: 0x5\r\n', 'bad-length'],
    ['an empty length', 'Content-Length:\r\n', 'bad-length'],
    ['a length beyond all measure', 'Content-Length: 99999999999999999999\r\n', 'bad-length'],
    ['a length with a space in it', 'Content-Length: 5 5\r\n', 'bad-length'],
    ['two codings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', 'several-codings'],
    ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 'several-codings'],
    ['a list of codings', 'Transfer-Encoding: gzip, chunked\r\n', 'unknown-coding'],
    ['chunked in the front', 'Transfer-Encoding: chunked, identity\r\n', 'unknown-coding'],
    ['something like chunked', 'Transfer-Encoding: xchunked\r\n', 'unknown-coding'],
    ['chunked in quotes', 'Transfer-Encoding: "chunked"\r\n', 'unknown-coding'],
    ['chunked with a parameter', 'Transfer-Encoding: chunked;q=1\r\n', 'unknown-coding'],
    ['identity', 'Transfer-Encoding: identity\r\n', 'unknown-coding'],
    ['an empty coding', 'Transfer-Encoding:\r\n', 'unknown-coding'],
  ])('%s', (_label, fields, expected) => {
    const head = request(`POST / HTTP/1.1\r\n${fields}\r\n`)
    if (head.kind === 'bad') throw new Error(head.why)
    const framing = requestFraming(head)
    if (typeof expected !== 'string') return expect(framing).toEqual(expected)
    const status = expected === 'unknown-coding' ? 501 : 400
    return expect(framing).toEqual({ kind: 'bad', status, why: expected })
  })

  test('a coding in HTTP/1.0 is refused (section 6.1)', () => {
    const head = request('POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n')
    if (head.kind === 'bad') throw new Error(head.why)
    expect(requestFraming(head)).toMatchObject({ kind: 'bad', why: 'coding-in-http-1.0' })
  })
})

describe('framing of responses (RFC 9112 section 6.3)', () => {
  function framed(text: string, method = 'GET') {
    return responseFraming(response(text) as ResponseHead, method).kind
  }
  test.each([
    ['200 with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', 'GET', 'length'],
    ['200 in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'GET', 'chunked'],
    ['200 until the close', 'HTTP/1.1 200 OK\r\n\r\n', 'GET', 'until-close'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', 'HEAD', 'none'],
    ['204', 'HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n', 'GET', 'none'],
    ['304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n', 'GET', 'none'],
    ['100', 'HTTP/1.1 100 Continue\r\n\r\n', 'PUT', 'none'],
    ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 'GET', 'bad'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n', 'GET', 'bad'],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', 'GET', 'bad'],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'GET', 'bad'],
  ])('%s', (_label, text, method, kind) => {
    expect(framed(text, method)).toBe(kind)
  })
})

/** Decodes text in pieces of at most `step` octets. */
function unchunk(text: string, step = text.length) {
  const decoder = decoderFor({ kind: 'chunked' })
  const bytes = Buffer.from(text, 'latin1')
  let content = ''
  let at = 0
  while (at < bytes.length && !decoder.done && decoder.fault === undefined) {
    const view = bytes.subarray(at, at + step)
    at += decoder.push(view)
    for (let index = 0; index < decoder.spans.length; index += 2) {
      content += view.toString('latin1', decoder.spans[index], decoder.spans[index + 1])
    }
  }
  return { content, done: decoder.done, fault: decoder.fault, rest: text.slice(at) }
}

describe('the chunked coding (RFC 9112 section 7.1)', () => {
  test.each([
    ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['two chunks', '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n', 'hello'],
    [
      'hexadecimal in both cases',
      `a\r\n${'x'.repeat(10)}\r\nB\r\n${'y'.repeat(11)}\r\n0\r\n\r\n`,
      'xxxxxxxxxxyyyyyyyyyyy',
    ],
    ['leading zeros', '005\r\nhello\r\n000\r\n\r\n', 'hello'],
    ['extensions, dropped', '5;name=value;q="x y"\r\nhello\r\n0;last\r\n\r\n', 'hello'],
    ['trailers, dropped', '5\r\nhello\r\n0\r\nExpires: never\r\nX: y\r\n\r\n', 'hello'],
    ['nothing', '0\r\n\r\n', ''],
  ])('%s', (_label, text, content) => {
    expect(unchunk(`${text}GET`)).toEqual({ content, done: true, fault: undefined, rest: 'GET' })
    expect(unchunk(`${text}GET`, 1)).toEqual({ content, done: true, fault: undefined, rest: 'GET' })
  })

  test.each([
    ['a size without digits', '\r\nhello', 'bad-chunk-size'],
    ['a size that is no number', 'z\r\n', 'bad-chunk-size'],
    ['a prefix', '0x5\r\nhello', 'bad-chunk-size'],
    ['a sign', '+5\r\nhello', 'bad-chunk-size'],
    ['a space before the size', ' 5\r\nhello', 'bad-chunk-size'],
    ['a space behind the size', '5 \r\nhello', 'bad-chunk-size'],
    ['a size beyond all measure', 'ffffffffffffffff5\r\nhello', 'bad-chunk-size'],
    ['a bare LF behind the size', '5\nhello', 'bad-chunk-size'],
    ['a bare CR behind the size', '5\rhello', 'bad-chunk-size'],
    ['a bare LF in an extension', '5;a\nhello', 'bad-chunk-size'],
    ['a bare LF behind the content', '5\r\nhello\n0\r\n\r\n', 'bad-chunk-end'],
    ['content longer than its size', '5\r\nhello!\r\n0\r\n\r\n', 'bad-chunk-end'],
    ['a bare LF at the very end', '0\r\n\n', 'bad-trailer'],
    ['a bare LF in the trailers', '0\r\nA: b\nC: d\r\n\r\n', 'bad-trailer'],
    ['a trailer that is no field', '0\r\nGET /admin HTTP/1.1\r\nA: b\r\n\r\n', 'bad-trailer'],
    ['a trailer without a colon', '0\r\nA\r\n\r\n', 'bad-trailer'],
    ['a trailer without a name', '0\r\n: b\r\n\r\n', 'bad-trailer'],
    ['a space before the colon of a trailer', '0\r\nA : b\r\n\r\n', 'bad-trailer'],
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n', 'bad-trailer'],
    ['a bare CR in a trailer', '0\r\nA: b\rc\r\n\r\n', 'bad-trailer'],
    ['endless extensions', `5;${'x'.repeat(17_000)}`, 'chunk-line-too-long'],
    ['endless trailers', `0\r\n${'A: b\r\n'.repeat(3_000)}`, 'trailers-too-long'],
  ])('%s is refused', (_label, text, fault) => {
    expect(unchunk(text).fault).toBe(fault)
    expect(unchunk(text, 1).fault).toBe(fault)
  })

  test('extensions spread over many tiny chunks are limited together', () => {
    expect(unchunk(`1;${'x'.repeat(100)}\r\na\r\n`.repeat(200)).fault).toBe('chunk-line-too-long')
  })

  test('any pieces give back what was cut into chunks, for any split', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary-ascii', minLength: 1 })),
        fc.integer({ min: 1, max: 50 }),
        (pieces, step) => {
          const text = `${pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')}0\r\n\r\n`
          expect(unchunk(text, step)).toEqual({ content: pieces.join(''), done: true, fault: undefined, rest: '' })
        },
      ),
    )
  })
})

describe('heads in pieces', () => {
  test('any split of the octets gives the same head and leaves the same rest', () => {
    const head = 'GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n'
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
        fc.string({ unit: 'binary-ascii' }),
        (steps, rest) => {
          const bytes = Buffer.from(head + rest, 'latin1')
          const collector = new HeadCollector(1024)
          let at = 0
          for (let index = 0; ; index += 1) {
            const view = bytes.subarray(at, at + (steps[index % steps.length] ?? 1))
            const end = collector.push(view)
            if (end >= 0) {
              expect(collector.head.toString('latin1')).toBe(head)
              expect(at + end).toBe(head.length)
              return
            }
            at += view.length
          }
        },
      ),
    )
  })

  test('a head that never ends is kept up to its limit only', () => {
    const collector = new HeadCollector(1024)
    for (let count = 0; count < 100; count += 1) collector.push(Buffer.alloc(512, 'a'))
    expect(collector.partial.length).toBeLessThanOrEqual(1028)
    expect(collector.partial.length).toBeGreaterThan(1024)
  })
})
