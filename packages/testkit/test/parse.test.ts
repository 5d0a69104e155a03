// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { parseChannel, parseDuration, parseTranscript } from '../src/transcript/parse.js'
import { merge, readStage, stageConfig, usersFile } from '../src/transcript/stage.js'

const LOGIN = `# Login is replayed (RFC 9051 section 6.2.3)
users: alice=secret@mbx1, bob=hunter2@mbx2
listen: imaps
config:
  limits:
    idle: 5m

# the greeting
S: * OK $*
C: a1 LOGIN alice secret
P: $tag LOGIN {5}\\
@clock +31m
B2: hello
@eof P2
`

test('a transcript has a title, headers and steps with their line numbers', () => {
  const transcript = parseTranscript('login', LOGIN)
  expect(transcript.title).toBe('Login is replayed (RFC 9051 section 6.2.3)')
  expect(transcript.headers.get('config')).toBe('\n  limits:\n    idle: 5m')
  expect(transcript.steps).toEqual([
    { kind: 'expect', line: 9, channel: { side: 'client', index: 1 }, text: '* OK $*', crlf: true },
    { kind: 'send', line: 10, channel: { side: 'client', index: 1 }, text: 'a1 LOGIN alice secret', crlf: true },
    { kind: 'expect', line: 11, channel: { side: 'backend', index: 1 }, text: '$tag LOGIN {5}', crlf: false },
    { kind: 'directive', line: 12, name: 'clock', argument: '+31m' },
    { kind: 'send', line: 13, channel: { side: 'backend', index: 2 }, text: 'hello', crlf: true },
    { kind: 'directive', line: 14, name: 'eof', argument: 'P2' },
  ])
})

test.each([
  ['no comment', 'S: hello', /begins with a comment/],
  ['an unknown directive', '# x\n\n@explode', /unknown directive @explode/],
  ['a stray line', '# x\n\nS: hi\nhello', /x:4: neither/],
  ['a header twice', '# x\nlisten: imap\nlisten: imaps\n\nS: x', /appears twice/],
  ['nothing expected', '# x\n\nC: hello', /cannot fail/],
])('%s is refused', (_label, source, message) => {
  expect(() => parseTranscript('x', source)).toThrow(message)
})

test.each([
  ['C', { side: 'client', index: 1 }],
  ['S2', { side: 'client', index: 2 }],
  ['B', { side: 'backend', index: 1 }],
  ['P2', { side: 'backend', index: 2 }],
  ['mbx2', { side: 'backend', index: 2 }],
  ['', { side: 'backend', index: 1 }],
  ['elsewhere', undefined],
])('channel %s', (text, channel) => {
  expect(parseChannel(text)).toEqual(channel)
})

test.each([
  ['+31m', 1_860_000],
  ['250ms', 250],
  ['1.5s', 1500],
  ['soon', undefined],
])('duration %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

describe('the configuration that headers describe', () => {
  const stage = readStage(parseTranscript('login', LOGIN), 'imap4')

  test('users, their groups and backends', () => {
    expect(usersFile(stage.users)).toBe('alice:{PLAIN}secret::::::group=mbx1\nbob:{PLAIN}hunter2::::::group=mbx2\n')
    expect([...stage.groups]).toEqual([
      ['mbx1', [1]],
      ['mbx2', [2]],
    ])
    expect(stage.secrets).toEqual(['secret', 'hunter2'])
  })

  test('one listener, one group per backend, further layers laid over', () => {
    using staged = stageConfig(
      stage,
      'imap4',
      new Map([
        [1, 1001],
        [2, 1002],
      ]),
      { listeners: { proxy: true } },
      { limits: {} },
    )
    expect(staged.config).toMatchObject({
      version: 1,
      listeners: [{ protocol: 'imap4', address: '127.0.0.1:0', tls: 'implicit', proxy: true }],
      credentials: [{ type: 'users-file' }],
      backends: {
        mbx1: { identity: 'password', imap4: { endpoints: ['127.0.0.1:1001'] } },
        mbx2: { imap4: { endpoints: ['127.0.0.1:1002'] } },
      },
      limits: {},
    })
  })

  test('further fields of an account', () => {
    const source =
      '# x\nusers: alice=secret@mbx1, bob=hunter2@mbx2\nfields: alice nologin=y protocols=pop3; bob uid=7\n\nS: x'
    expect(usersFile(readStage(parseTranscript('x', source), 'imap4').users)).toBe(
      'alice:{PLAIN}secret::::::group=mbx1 nologin=y protocols=pop3\nbob:{PLAIN}hunter2::::::group=mbx2 uid=7\n',
    )
    const stranger = parseTranscript('x', '# x\nusers: alice=secret@mbx1\nfields: eve nologin=y\n\nS: x')
    expect(() => readStage(stranger, 'imap4')).toThrow('fields: eve is not among the users:')
  })

  test('deferred credentials', () => {
    const deferred = readStage(parseTranscript('x', '# x\nusers: deferred@mbx1\n\nS: x'), 'pop3')
    using staged = stageConfig(deferred, 'pop3', new Map([[1, 1001]]))
    expect(staged.config).toMatchObject({
      credentials: [{ type: 'deferred' }],
      location: [{ type: 'hash', group: 'mbx1', domains: ['test.lan'] }],
    })
  })

  test('several endpoints of one group', () => {
    const source = '# x\nusers: alice=secret@mbx1\nbackends: mbx1=1+2\n\nS: x'
    expect([...readStage(parseTranscript('x', source), 'imap4').groups]).toEqual([['mbx1', [1, 2]]])
  })

  test('a map over a list goes into each of its maps; other values replace', () => {
    expect(merge({ a: [{ b: 1 }, { b: 2 }], c: 1, d: { e: 1 } }, { a: { f: 3 }, c: [2], d: { g: 4 } })).toEqual({
      a: [
        { b: 1, f: 3 },
        { b: 2, f: 3 },
      ],
      c: [2],
      d: { e: 1, g: 4 },
    })
  })
})
