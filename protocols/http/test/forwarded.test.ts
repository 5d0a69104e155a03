// SPDX-License-Identifier: MIT
import { canonicalAddress } from '@portico/net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatForwarded, readForwarded, readForwardedFor } from '../src/codec/forwarded.js'

describe('whom a Forwarded value speaks for (RFC 7239 section 4)', () => {
  test.each([
    ['one', 'for=192.0.2.43', ['192.0.2.43']],
    ['names in any case, white space, other pairs', ' For=192.0.2.43 ;Proto=http;by=203.0.113.43 ', ['192.0.2.43']],
    ['several', 'for=192.0.2.43, for=198.51.100.17', ['192.0.2.43', '198.51.100.17']],
    ['several without white space', 'for=192.0.2.43,for=198.51.100.17', ['192.0.2.43', '198.51.100.17']],
    ['a port', 'for="192.0.2.43:47011"', ['192.0.2.43']],
    ['IPv6', 'for="[2001:db8:cafe::17]"', ['2001:db8:cafe::17']],
    ['IPv6 in another spelling', 'for="[2001:DB8:CAFE:0::17]"', ['2001:db8:cafe::17']],
    ['IPv6 with a port', 'for="[2001:db8:cafe::17]:4711"', ['2001:db8:cafe::17']],
    ['IPv4 in IPv6', 'for="[::ffff:192.0.2.43]"', ['192.0.2.43']],
    ['an escaped octet in quotes', 'for="192\\.0.2.43"', ['192.0.2.43']],
    ['a comma in quotes', 'host="a,b";for=192.0.2.43', ['192.0.2.43']],
    ['a hidden client (section 6.3)', 'for=_gazonk', ['unknown']],
    ['an unknown client (section 6.2)', 'for=unknown', ['unknown']],
    ['nobody', 'proto=https', ['unknown']],
    ['an address that is none', 'for=999.0.2.43', ['unknown']],
    ['IPv6 without brackets', 'for="2001:db8::1"', ['unknown']],
    ['IPv4 in brackets', 'for="[192.0.2.43]"', ['unknown']],
    ['a zone', 'for="[fe80::1%eth0]"', ['unknown']],
  ])('%s', (_label, value, clients) => {
    expect(readForwarded(value)).toEqual(clients)
  })

  test.each([
    ['an address without a name', '192.0.2.43'],
    ['a quote that does not end', 'for="192.0.2.43'],
    ['two clients in one element', 'for=192.0.2.43;for=10.0.0.1'],
    ['white space in a pair', 'for= 192.0.2.43'],
    ['IPv6 without quotes', 'for=[2001:db8::1]'],
    ['more elements than anybody passes', 'for=192.0.2.43,'.repeat(100)],
    ['endless white space', `${' '.repeat(60_000)}x`],
  ])('%s cannot be read', (_label, value) => {
    expect(readForwarded(value)).toBeUndefined()
  })
})

test('X-Forwarded-For is read in the same terms, with the port that some add', () => {
  const value = '192.0.2.43, 198.51.100.17:4711, 2001:db8::1, [2001:db8::2]:443, nobody, ::ffff:192.0.2.1, fe80::1%eth0'
  expect(readForwardedFor(value)).toEqual([
    '192.0.2.43',
    '198.51.100.17',
    '2001:db8::1',
    '2001:db8::2',
    'unknown',
    '192.0.2.1',
    'unknown',
  ])
})

describe('what we write', () => {
  test.each([
    [['192.0.2.43'], 'mail.example.com', 'for=192.0.2.43;proto=https;host=mail.example.com'],
    [['2001:db8::1'], 'mail.example.com:8443', 'for="[2001:db8::1]";proto=https;host="mail.example.com:8443"'],
    [['192.0.2.43', 'unknown', '10.0.0.1'], undefined, 'for=192.0.2.43, for=unknown, for=10.0.0.1;proto=https'],
  ])('%j at %s is %s', (clients, host, text) => {
    expect(formatForwarded(clients, 'https', host)).toBe(text)
  })

  test('is read back', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6().map(canonicalAddress), fc.constant('unknown'))
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 9 }), fc.domain(), (clients, host) => {
        expect(readForwarded(formatForwarded(clients, 'http', host))).toEqual(clients)
      }),
    )
  })
})
