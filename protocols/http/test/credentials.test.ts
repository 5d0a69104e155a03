// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { challenges, handshakeLine, tokenError } from '../src/sign-in/challenges.js'
import { basicValue, beginsHandshake, readBasic, readHandshake, readToken } from '../src/sign-in/credentials.js'
import { schemeOf } from '../src/sign-in/schemes.js'

const encoded = (text: string | Buffer) => Buffer.from(text as string).toString('base64')

describe('the scheme of an Authorization field (RFC 9110 section 11.4)', () => {
  test.each([
    ['Basic YQ==', 'basic'],
    ['bEARER abc', 'bearer'],
    ['Negotiate YII', 'negotiate'],
    ['NTLM TlRM', 'ntlm'],
    ['NTLM', 'ntlm'],
    ['Digest username="x"', 'unknown'],
    ['Forms x', 'unknown'],
    ['', 'malformed'],
    [' Basic YQ==', 'malformed'],
    ['"Basic" YQ==', 'malformed'],
  ])('%j is %s', (value, scheme) => {
    expect(schemeOf(value)).toBe(scheme)
  })
})

describe('Basic credentials (RFC 7617)', () => {
  test.each([
    [`Basic ${encoded('alice:secret')}`, 'alice', 'secret'],
    [`basic ${encoded('alice:se:cret')}`, 'alice', 'se:cret'],
    [`BASIC  ${encoded('alice:')}`, 'alice', ''],
    [`Basic ${encoded('älice:pässword')}`, 'älice', 'pässword'],
    [`Basic ${encoded(Buffer.from('\xe4lice:p\xe4ss', 'latin1'))}`, 'älice', 'päss'],
  ])('%s', (value, user, password) => {
    expect(readBasic(value)).toEqual({ user, password })
  })

  test.each([
    'Basic',
    'Basic !!!',
    `Basic ${encoded('alice:secret')}=`,
    `Basic ${encoded('nocolon')}`,
    `Basic ${encoded('al\nice:secret')}`,
    `Basic ${encoded('alice:sec\0ret')}`,
  ])('%j is none', (value) => {
    expect(readBasic(value)).toBeUndefined()
  })

  test('a name with a colon cannot be said to a backend', () => {
    expect(basicValue('a:b', 'c')).toBeUndefined()
    expect(basicValue('a', 'b\r\nX: y')).toBeUndefined()
  })
})

describe('a bearer token (RFC 6750 section 2.1)', () => {
  test.each([
    ['Bearer mF_9.B5f-4.1JqM', 'mF_9.B5f-4.1JqM'],
    ['bearer  a+b/c~==', 'a+b/c~=='],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Bearer a b', undefined],
    ['Bearer a=b', undefined],
    ['Bearer a,b', undefined],
    ['Bearer "a"', undefined],
    ['Bearer \xfc', undefined],
  ])('%j', (value, token) => {
    expect(readToken(value)).toBe(token)
  })
})

describe('the octets of a handshake', () => {
  const ntlm = (type: number) => Buffer.concat([Buffer.from('NTLMSSP\0'), Buffer.from([type, 0, 0, 0])])

  test.each([
    ['an NTLM NEGOTIATE_MESSAGE', ntlm(1), true],
    ['an NTLM AUTHENTICATE_MESSAGE', ntlm(3), false],
    ['the first token of SPNEGO', Buffer.from([0x60, 0x10, 6]), true],
    ['a later token of SPNEGO', Buffer.from([0xa1, 0x10, 0x30]), false],
    ['something else', Buffer.from('hello'), false],
  ])('%s', (_label, octets, begins) => {
    expect(readHandshake(`Negotiate ${encoded(octets)}`)).toEqual(octets)
    expect(beginsHandshake(octets)).toBe(begins)
  })

  test.each(['NTLM', 'NTLM ', 'NTLM =', 'NTLM a b', 'NTLM TlR'])('%j has none', (value) => {
    expect(readHandshake(value)).toBeUndefined()
  })
})

describe('challenges', () => {
  test('have a line each, in the order of the directory, and none for a page', () => {
    expect(challenges(['negotiate', 'ntlm', 'basic', 'bearer', 'forms'], 'Mail')).toBe(
      'WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n' +
        'WWW-Authenticate: Basic realm="Mail", charset="UTF-8"\r\nWWW-Authenticate: Bearer realm="Mail"\r\n',
    )
  })

  test.each([
    ['invalid-credentials', 'error="invalid_token"'],
    ['password-expired', 'error="invalid_token"'],
    ['malformed', 'error="invalid_request"'],
    ['unauthorized-identity', 'error="insufficient_scope"'],
  ] as const)('say what is wrong with a token: %s (RFC 6750 section 3.1)', (reason, error) => {
    expect(challenges(['basic', 'bearer'], 'Mail', tokenError(reason))).toMatch(
      new RegExp(
        `^.*Basic[^,]*, charset="UTF-8"\r\nWWW-Authenticate: Bearer realm="Mail", ${error}, error_description="[^"]+"\r\n$`,
      ),
    )
  })

  test('blame no token for what is not its fault', () => {
    expect(tokenError('lookup-unavailable')).toBe('')
    expect(tokenError('throttled')).toBe('')
  })

  test('carry the next octets of a handshake', () => {
    expect(handshakeLine('ntlm', Buffer.from('abc'))).toBe('WWW-Authenticate: NTLM YWJj\r\n')
    expect(handshakeLine('negotiate', Buffer.from('abc'))).toBe('WWW-Authenticate: Negotiate YWJj\r\n')
  })
})
