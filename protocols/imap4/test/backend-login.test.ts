// SPDX-License-Identifier: MIT
import { Secret } from '@portico/base'
import type { Session } from '@portico/session'
import { describe, expect, test } from 'vitest'
import { clientFacts, loginCommand } from '../src/backend-login.js'

const credentials = (authcid: string, password: string, authzid?: string) =>
  ({ kind: 'credentials', authcid, authzid, password: new Secret(password) }) as const
const b64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

describe('the sign-in at a backend', () => {
  test.each([
    [
      'in one line where SASL-IR is there (RFC 4959)',
      ['AUTH=PLAIN', 'SASL-IR'],
      credentials('al', 'pw'),
      [`AUTHENTICATE PLAIN ${b64('\0al\0pw')}`],
    ],
    [
      'step by step elsewhere',
      ['AUTH=PLAIN'],
      credentials('al', 'pw', 'bob'),
      ['AUTHENTICATE PLAIN', b64('bob\0al\0pw')],
    ],
    ['by LOGIN without AUTH=PLAIN', [], credentials('al"', 'p w'), ['LOGIN "al\\"" "p w"']],
    [
      'by LOGIN with literals for what no quotes can hold',
      [],
      credentials('ä', 'a\r\nb'),
      ['LOGIN {2}', '\xc3\xa4 {4}', 'a\r\nb'],
    ],
    ['not by LOGIN on behalf of somebody', [], credentials('al', 'pw', 'bob'), undefined],
    ['not by LOGIN where it is disabled', ['LOGINDISABLED'], credentials('al', 'pw'), undefined],
  ] as const)('%s', (_label, capabilities, shown, lines) => {
    const command = loginCommand(shown, new Set(capabilities))
    expect(command && [command.line, ...command.continuations]).toEqual(lines)
  })
})

describe('who the client is', () => {
  const session = (address: string, family: 4 | 6 | 'unix', hops: number): Pick<Session, 'id' | 'leg' | 'hops'> => {
    const peer = { address, port: 4711, family }
    return {
      id: 'x1',
      hops,
      leg: { facts: { peer, local: { ...peer, port: 993 }, socketPeer: peer } } as Session['leg'],
    }
  }

  test('is told with one hop less', () => {
    expect(clientFacts(session('2001:db8::1', 6, 1))).toBe(
      '("x-originating-ip" "2001:db8::1" "x-originating-port" "4711" "x-connected-ip" "2001:db8::1" "x-connected-port" "993" "x-session-id" "x1" "x-proxy-ttl" "3")',
    )
  })

  test('what the client said of its program follows, as far as it is short', () => {
    const said = new Map([
      ['name', 'Mailer'],
      ['long', 'x'.repeat(1024)],
      ['os', 'Unix'],
    ])
    expect(clientFacts(session('/run/x', 'unix', 0), said)).toBe(
      '("x-session-id" "x1" "x-proxy-ttl" "4" "name" "Mailer")',
    )
    const many = new Map(Array.from({ length: 40 }, (_, at) => [`k${at}`, 'v']))
    expect(clientFacts(session('192.0.2.1', 4, 0), many).match(/"[^"]*" "[^"]*"/g)).toHaveLength(30)
  })

  test('has no address behind a Unix socket', () => {
    expect(clientFacts(session('/run/x', 'unix', 9))).toBe('("x-session-id" "x1" "x-proxy-ttl" "0")')
  })
})
