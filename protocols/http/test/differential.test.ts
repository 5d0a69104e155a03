// SPDX-License-Identifier: MIT
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { decoderFor } from '../src/codec/body.js'
import { findHeadEnd, parseRequestHead } from '../src/codec/head.js'
import { readIncoming } from '../src/incoming.js'
import { Client } from './harness.js'

const LIMITS = { head: 65_536, target: 8_192, fields: 100 }

/** What our codec makes of one request: its body, or undefined when it is refused. */
function ours(text: string): string | undefined {
  const bytes = Buffer.from(text, 'latin1')
  const end = findHeadEnd(bytes, 0)
  if (end < 0) return undefined
  const head = parseRequestHead(bytes.subarray(0, end), LIMITS)
  if (head.kind === 'bad') return undefined
  const incoming = readIncoming(head)
  if ('kind' in incoming) return undefined
  const decoder = decoderFor(incoming.body)
  const rest = bytes.subarray(end)
  decoder.push(rest)
  if (decoder.fault !== undefined || !decoder.done) return undefined
  let body = ''
  if (incoming.body.kind === 'none') return body
  for (let index = 0; index < decoder.spans.length; index += 2) {
    body += rest.toString('latin1', decoder.spans[index], decoder.spans[index + 1])
  }
  return body
}

/** What node:http makes of it. */
async function nodes(text: string): Promise<string | undefined> {
  let body: string | undefined
  const server = createServer({ requireHostHeader: true }, (request, response) => {
    let seen = ''
    request.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1')
    })
    request.on('end', () => {
      body ??= seen
      response.setHeader('Connection', 'close')
      response.end()
    })
  })
  server.on('clientError', (_error, socket) => void socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = await Client.connect((server.address() as AddressInfo).port)
  client.send(text)
  client.socket.end()
  const answer = await client.toEnd()
  server.close()
  return /^HTTP\/1\.1 (?:100[\s\S]*)?200/.test(answer) ? body : undefined
}

const H = 'Host: x\r\n'
const CHUNKED = `${H}Transfer-Encoding: chunked\r\n`

describe('node:http understands what we accept in the same way', () => {
  test.each([
    ['no body', `GET / HTTP/1.1\r\n${H}\r\n`],
    ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n'],
    ['the absolute form', `GET http://x/ HTTP/1.1\r\n${H}\r\n`],
    ['a length', `PUT / HTTP/1.1\r\n${H}Content-Length: 5\r\n\r\nhello`],
    ['a length of zero', `POST / HTTP/1.1\r\n${H}Content-Length: 0\r\n\r\n`],
    ['a padded value', `PUT / HTTP/1.1\r\n${H}Content-Length: \t 5 \r\n\r\nhello`],
    ['chunks', `PUT / HTTP/1.1\r\n${CHUNKED}\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`],
    ['chunks with extensions', `PUT / HTTP/1.1\r\n${CHUNKED}\r\n3;a=b\r\nabc\r\n0\r\n\r\n`],
    ['chunks with trailers', `PUT / HTTP/1.1\r\n${CHUNKED}\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n`],
    ['chunks with leading zeros', `PUT / HTTP/1.1\r\n${CHUNKED}\r\n0003\r\nabc\r\n00\r\n\r\n`],
  ])('%s', async (_label, text) => {
    const body = ours(text)
    expect(body).toBeDefined()
    expect(await nodes(text)).toBe(body)
  })
})

describe('what node:http refuses we refuse too', () => {
  test.each([
    ['a bare LF in the head', 'GET / HTTP/1.1\nHost: x\r\n\r\n'],
    ['a space before the colon', `GET / HTTP/1.1\r\n${H}A : b\r\n\r\n`],
    ['length and chunks', `PUT / HTTP/1.1\r\n${CHUNKED}Content-Length: 3\r\n\r\n0\r\n\r\n`],
    ['two different lengths', `PUT / HTTP/1.1\r\n${H}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
    ['the same length twice', `PUT / HTTP/1.1\r\n${H}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
    ['a signed length', `PUT / HTTP/1.1\r\n${H}Content-Length: +3\r\n\r\nabc`],
    [
      'chunked in front of another coding',
      `PUT / HTTP/1.1\r\n${H}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    ],
    ['a chunk size that is no number', `PUT / HTTP/1.1\r\n${CHUNKED}\r\nz\r\n`],
    ['a chunk size beyond all measure', `PUT / HTTP/1.1\r\n${CHUNKED}\r\nfffffffffffffffff\r\n`],
    ['content longer than its chunk', `PUT / HTTP/1.1\r\n${CHUNKED}\r\n2\r\nabc\r\n0\r\n\r\n`],
    ['a bare LF behind a chunk size', `PUT / HTTP/1.1\r\n${CHUNKED}\r\n3\nabc\r\n0\r\n\r\n`],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['NUL in a value', `GET / HTTP/1.1\r\n${H}A: \0\r\n\r\n`],
    ['another protocol', 'EHLO x\r\n\r\n'],
  ])('%s', async (_label, text) => {
    expect(await nodes(text)).toBeUndefined()
    expect(ours(text)).toBeUndefined()
  })
})

describe('known differences', () => {
  test.each([
    ['a second Host: which one counts is guesswork (RFC 9112 section 3.2)', `GET / HTTP/1.1\r\n${H}Host: y\r\n\r\n`],
    [
      'a list of codings: we take only chunked (RFC 9112 section 6.1)',
      `PUT / HTTP/1.1\r\n${H}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a Host that is no host', `GET / HTTP/1.1\r\nHost: a/b\r\n\r\n`],
    ['dot segments: a gateway that maps paths must not guess', `GET /a/../b HTTP/1.1\r\n${H}\r\n`],
  ])('we are stricter: %s', async (_label, text) => {
    expect(ours(text)).toBeUndefined()
    expect(await nodes(text)).toBeDefined()
  })

  test('we take methods that its parser does not know (RFC 9110 section 9.1: any token)', async () => {
    const text = `RPC_IN_DATA / HTTP/1.1\r\n${H}Content-Length: 2\r\n\r\nhi`
    expect(ours(text)).toBe('hi')
    expect(await nodes(text)).toBeUndefined()
  })
})
