// SPDX-License-Identifier: MIT
import { loginResponses, plainResponse, saslprep } from '@portico/sasl'
import { describe, expect, test } from 'vitest'

describe('what a backend gets', () => {
  test('PLAIN without an authorization identity (RFC 4616 section 4)', () => {
    expect(plainResponse({ authcid: 'tim', password: 'tanstaaftanstaaf' })).toEqual(
      Buffer.from('\0tim\0tanstaaftanstaaf'),
    )
  })

  test('PLAIN for a master user who acts for somebody', () => {
    const bytes = plainResponse({ authzid: 'Ursel', authcid: 'Kurt', password: 'xipj3plmq' })
    expect(bytes.toString('base64')).toBe('VXJzZWwAS3VydAB4aXBqM3BsbXE=')
  })

  test('LOGIN in two parts', () => {
    expect(loginResponses('alice', 'pässword')).toEqual([Buffer.from('alice'), Buffer.from('pässword')])
  })

  test.each([
    ['PLAIN name', () => plainResponse({ authcid: 'a\0b', password: 'x' })],
    ['PLAIN password', () => plainResponse({ authcid: 'a', password: 'x\0y' })],
    ['PLAIN authorization identity', () => plainResponse({ authcid: 'a', authzid: '\0', password: 'x' })],
    ['LOGIN name', () => loginResponses('a\0', 'x')],
    ['LOGIN password', () => loginResponses('a', '\0x')],
  ])('a NUL in a %s cannot move the borders', (_part, make) => {
    expect(make).toThrow(TypeError)
  })
})

describe('SASLprep', () => {
  test.each([
    ['soft hyphen mapped to nothing', 'I\u00adX', 'IX'],
    ['no transformation', 'user', 'user'],
    ['case preserved', 'USER', 'USER'],
    ['output is NFKC, input in ISO 8859-1', '\u00aa', 'a'],
    ['output is NFKC', '\u2168', 'IX'],
    ['prohibited character', '\u0007', undefined],
    ['bidirectional check', '\u0627\u0031', undefined],
    ['other spaces become one', 'a\u00a0b', 'a b'],
    ['unassigned code points pass in a query', 'a\u0221', 'a\u0221'],
    ['empty', '', ''],
    ['delete', 'a\u007fb', undefined],
  ])('%s (RFC 4013 section 3)', (_label, input, output) => {
    expect(saslprep(input)).toBe(output)
  })
})
