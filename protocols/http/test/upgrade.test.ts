// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { upgradeGiven, upgradesOf } from '../src/backend/upgrade.js'
import { readIncoming } from '../src/client/incoming.js'
import { parseRequestHead, parseResponseHead } from '../src/codec/head.js'
import { directorySchema } from '../src/directory/schema.js'

const LIMITS = { head: 65_536, target: 8_192, fields: 100 }

function asked(lines: string, line = 'GET / HTTP/1.1', allowed: readonly string[] = ['websocket']) {
  const head = parseRequestHead(Buffer.from(`${line}\r\nHost: x\r\n${lines}\r\n`, 'latin1'), LIMITS)
  if (head.kind === 'bad') throw new Error(head.why)
  const incoming = readIncoming(head)
  if ('kind' in incoming) throw new Error(incoming.why)
  return upgradesOf(incoming, allowed)
}

describe('what a client may change its connection to (RFC 9110 section 7.8)', () => {
  test.each([
    ['what it asks for', 'Connection: upgrade\r\nUpgrade: websocket\r\n', ['websocket']],
    ['in any case, among others', 'Connection: Keep-Alive, UPGRADE\r\nUpgrade: foo/2, WebSocket\r\n', ['websocket']],
    ['asked for in two fields', 'Connection: upgrade\r\nUpgrade: foo\r\nUpgrade: websocket\r\n', ['websocket']],
    ['once, however often it is asked for', 'Connection: upgrade\r\nUpgrade: websocket, websocket\r\n', ['websocket']],
    ['nothing without Connection', 'Upgrade: websocket\r\n', []],
    ['nothing without Upgrade', 'Connection: upgrade\r\n', []],
    ['nothing that the directory does not name', 'Connection: upgrade\r\nUpgrade: h2c\r\n', []],
    ['another version is another protocol', 'Connection: upgrade\r\nUpgrade: websocket/14\r\n', []],
    ['nothing beside a body', 'Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n', []],
    ['nothing beside an empty body', 'Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n', []],
  ])('%s', (_label, lines, protocols) => {
    expect(asked(lines)).toEqual(protocols)
  })

  test('nothing for HTTP/1.0, nor where the directory allows nothing', () => {
    const lines = 'Connection: upgrade\r\nUpgrade: websocket\r\n'
    expect(asked(lines, 'GET / HTTP/1.0')).toEqual([])
    expect(asked(lines, 'GET / HTTP/1.1', [])).toEqual([])
  })

  test.each(['h2c', 'h2', 'http/1.1', 'TLS/1.0', 'tls', 'WebSocket', 'a b', ''])(
    'a directory cannot allow %j',
    (protocol) => {
      expect(directorySchema.safeParse({ mount: '/', upgrades: [protocol] }).success).toBe(false)
    },
  )
})

describe('a backend changes only to what was asked for', () => {
  test.each([
    ['it does', 'Connection: Upgrade\r\nUpgrade: WebSocket\r\n', 'websocket'],
    ['to something else', 'Connection: Upgrade\r\nUpgrade: h2c\r\n', undefined],
    ['to two at once', 'Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n', undefined],
    ['without saying to what', 'Connection: Upgrade\r\n', undefined],
    ['without Connection', 'Upgrade: websocket\r\n', undefined],
  ])('%s', (_label, lines, protocol) => {
    const head = parseResponseHead(Buffer.from(`HTTP/1.1 101 Switching\r\n${lines}\r\n`), LIMITS)
    if (head.kind === 'bad') throw new Error(head.why)
    expect(upgradeGiven(head, ['websocket'])).toBe(protocol)
  })
})
