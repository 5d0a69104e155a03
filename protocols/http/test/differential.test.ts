// SPDX-License-Identifier: MIT
import { METHODS } from 'node:http'
import { describe, expect, test } from 'vitest'
import { BODIES, CHUNKS, FRAMING, HONEST, OTHER, REQUEST_LINES, STATUS_LINES } from './corpus.js'
import { type Reading, requestsByNode, requestsByUs, responseByNode, responseByUs } from './two-readers.js'

/** Where we refuse what node:http takes: our word for it, and why. */
const WE_ARE_STRICTER: Readonly<Record<string, string>> = {
  'unknown-coding': 'the only coding that we take is chunked (RFC 9112 section 6.1)',
  'several-codings': 'a second coding, if an empty one, is read in different ways',
  'length-and-chunked': 'a length beside a coding, if an empty one, is read in different ways (RFC 9112 section 6.3)',
  'bad-host': 'of two Hosts, which one counts is guesswork (RFC 9112 section 3.2)',
  'bad-target': 'a gateway that maps paths must not guess, and it knows no other schemes',
  'bad-request-line': 'single spaces (RFC 9112 section 3)',
  'not-http': 'single spaces; no bare LF in front (RFC 9112 section 2.2)',
  'several-credentials': 'whoever sends two identities is nobody (RFC 9110 section 11.6.2)',
  'refused-method': 'TRACE would show what we add for the backend (RFC 9110 section 9.3.8)',
  'unknown-expectation': 'node:http answers 417 and goes on; we end the connection, for a body may follow or not',
  'bad-status-line': 'HTTP/1 alone, three digits from 100, no control characters (RFC 9112 section 4)',
  'not-asked-for': 'no protocol was asked for (RFC 9110 section 15.2.2)',
  'bare-line-end': 'a line ends with CRLF (RFC 9112 section 2.2)',
}

/** Where node:http refuses what we take, and how such octets are told. */
const NODE_IS_STRICTER: Readonly<Record<string, (text: string, us: Reading, nodes: Reading) => boolean>> = {
  'a method is any token (RFC 9110 section 9.1)': (_text, us, nodes) =>
    us.messages.slice(nodes.messages.length).some((message) => !METHODS.includes(message.split(' ')[0] ?? '')),
  'what follows the last message is nobody’s: it is not read, and the connection ends': (_text, { left }) =>
    left !== undefined && left !== '',
  'both refuse what follows, and node:http gives up the message in front of it, whose end it had not told yet': (
    _text,
    us,
    nodes,
  ) => us.refused !== undefined && nodes.refused !== undefined && us.messages.length === nodes.messages.length + 1,
  'an Upgrade that nobody takes is none (RFC 9110 section 7.8)': (text) => /^Upgrade:/m.test(text),
  'extensions of chunks are dropped, whatever they say (RFC 9112 section 7.1.1)': (text) => /^[0-9A-F]+;/im.test(text),
  'trailers are dropped, whatever their names (RFC 9110 section 6.5.1)': (text) => /^0\r\nContent-Length:/m.test(text),
}

/** Compares both readers; a difference without an explanation is returned. */
function unexplained(text: string, us: Reading, nodes: Reading): string | undefined {
  const common = Math.min(us.messages.length, nodes.messages.length)
  for (let index = 0; index < common; index += 1) {
    if (us.messages[index] !== nodes.messages[index]) return told('understood in two ways', text, us, nodes)
  }
  if (us.messages.length > common) {
    const known = Object.values(NODE_IS_STRICTER).some((applies) => applies(text, us, nodes))
    return known ? undefined : told('only we take it', text, us, nodes)
  }
  if (nodes.messages.length === common || (us.refused ?? '') in WE_ARE_STRICTER) return undefined
  return told('only node:http takes it', text, us, nodes)
}

function told(what: string, text: string, us: Reading, nodes: Reading): string {
  return `${what}: ${JSON.stringify({ text, us, nodes })}`
}

const NEXT = 'GET /next HTTP/1.1\r\nHost: x\r\n\r\n'
const PAIRS = FRAMING.flatMap((one) => FRAMING.map((other) => one + other))
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

describe('node:http reads the same requests as we do, or the difference is explained', () => {
  test.each<[string, readonly string[]]>([
    [
      'each pair of fields that say where a body ends, with each body',
      PAIRS.flatMap((pair) => BODIES.map((body) => `POST /a HTTP/1.1\r\nHost: x\r\n${pair}\r\n${body}${NEXT}`)),
    ],
    [
      'the same in HTTP/1.0',
      FRAMING.flatMap((one) => BODIES.map((body) => `POST /a HTTP/1.0\r\n${one}\r\n${body}${NEXT}`)),
    ],
    [
      'other fields',
      OTHER.flatMap((one) => [
        `GET /a HTTP/1.1\r\nHost: x\r\n${one}\r\n${NEXT}`,
        `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n${one}\r\nhello${NEXT}`,
      ]),
    ],
    ['chunks', CHUNKS.map((body) => `POST /a HTTP/1.1\r\nHost: x\r\n${CHUNKED}\r\n${body}${NEXT}`)],
    ['request lines', REQUEST_LINES.map((line) => `${line}Host: x\r\n\r\n${NEXT}`)],
    ['no Host', ['GET / HTTP/1.1\r\n\r\n', 'GET / HTTP/1.0\r\n\r\n', `GET http://x/ HTTP/1.1\r\n\r\n${NEXT}`]],
  ])(
    '%s',
    async (_label, texts) => {
      const found: string[] = []
      for (const text of texts) {
        const difference = unexplained(text, requestsByUs(text), await requestsByNode(text))
        if (difference !== undefined) found.push(difference)
      }
      expect(found.slice(0, 5)).toEqual([])
    },
    60_000,
  )
})

describe('node:http reads the same responses as we do, or the difference is explained', () => {
  test.each<[string, readonly string[]]>([
    [
      'fields that say where a body ends, beside honest ones, with each body',
      FRAMING.flatMap((one) => HONEST.flatMap((other) => [one + other, other + one])).flatMap((pair) =>
        BODIES.map((body) => `HTTP/1.1 200 OK\r\n${pair}\r\n${body}`),
      ),
    ],
    ['chunks', CHUNKS.map((body) => `HTTP/1.1 200 OK\r\n${CHUNKED}\r\n${body}`)],
    [
      'status lines',
      STATUS_LINES.flatMap((line) => [`${line}Content-Length: 5\r\n\r\nhello`, `${line}Content-Length: 5\r\n\r\n`]),
    ],
    ['status lines until the close', STATUS_LINES.map((line) => `${line}\r\nhello`)],
  ])(
    '%s',
    async (_label, texts) => {
      const found: string[] = []
      for (const method of ['GET', 'HEAD']) {
        for (const text of texts) {
          const difference = unexplained(text, responseByUs(text, method), await responseByNode(text, method))
          if (difference !== undefined) found.push(`${method} ${difference}`)
        }
      }
      expect(found.slice(0, 5)).toEqual([])
    },
    60_000,
  )
})

test('most of the corpus is read the same way by both', async () => {
  const texts = PAIRS.map((pair) => `POST /a HTTP/1.1\r\nHost: x\r\n${pair}\r\n${BODIES[3]}${NEXT}`)
  let same = 0
  for (const text of texts) {
    const us = requestsByUs(text)
    const nodes = await requestsByNode(text)
    if (us.messages.join('|') === nodes.messages.join('|')) same += 1
  }
  expect(same / texts.length).toBeGreaterThan(0.9)
})
