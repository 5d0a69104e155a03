// SPDX-License-Identifier: MIT
import type { Backend } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { contactsOf } from '../src/contacts.js'
import { parseDatagram } from '../src/parse-datagram.js'
import { answeredPort, parseVia, returnedVia } from '../src/parse-via.js'
import { OK } from '../src/replies.js'
import { formatResponse } from '../src/response.js'
import { message, request } from './messages.js'

const PEER = { address: '192.0.2.7', port: 40_000, family: 4 } as const
const FACTS = { peer: PEER, key: Buffer.alloc(32) }

function formatted(text: string, key: Uint8Array = FACTS.key): string {
  const parsed = request(text)
  if (parsed.via === undefined) throw new Error('no Via')
  return formatResponse({ ...parsed, via: parsed.via }, OK, ['Allow: INVITE'], { ...FACTS, key })
}

/** RFC 3261 section 18.2.1, RFC 3581 section 4. */
describe('the topmost Via comes back', () => {
  test.each([
    [
      'as it was when it says where it is from',
      'SIP/2.0/UDP 192.0.2.7;branch=z',
      'SIP/2.0/UDP 192.0.2.7;branch=z',
      5_060,
    ],
    [
      'with received',
      'SIP/2.0/UDP gw.example.net:5070;branch=z',
      'SIP/2.0/UDP gw.example.net:5070;branch=z;received=192.0.2.7',
      5_070,
    ],
    [
      'with rport',
      'SIP/2.0/UDP 192.0.2.7;rport;branch=z',
      'SIP/2.0/UDP 192.0.2.7;branch=z;received=192.0.2.7;rport=40000',
      40_000,
    ],
    [
      'with a port of nowhere, of who asks for rport',
      'SIP/2.0/UDP 192.0.2.7:0;rport',
      'SIP/2.0/UDP 192.0.2.7:0;received=192.0.2.7;rport=40000',
      40_000,
    ],
    [
      'without what it claims of itself',
      'SIP/2.0/UDP gw;received=198.51.100.1;rport=53',
      'SIP/2.0/UDP gw;received=192.0.2.7;rport=40000',
      40_000,
    ],
    [
      'with maddr, which leads nowhere',
      'SIP/2.0/UDP 192.0.2.7;maddr=224.2.0.1',
      'SIP/2.0/UDP 192.0.2.7;maddr=224.2.0.1',
      5_060,
    ],
    [
      'with its white space',
      'SIP / 2.0 / UDP   gw : 5070 ; branch = z',
      'SIP / 2.0 / UDP   gw : 5070;branch = z;received=192.0.2.7',
      5_070,
    ],
  ])('%s', (_label, text, expected, port) => {
    const via = parseVia(text)
    expect(via && returnedVia(via, PEER)).toBe(expected)
    expect(via && answeredPort(via, PEER)).toBe(port)
  })

  test('an IPv6 address is the same however it is written, and has no zone', () => {
    const via = parseVia('SIP/2.0/UDP [2001:DB8:0:0::7]:5060')
    expect(via && returnedVia(via, { address: '2001:db8::7', port: 1, family: 6 })).toBe(
      'SIP/2.0/UDP [2001:DB8:0:0::7]:5060',
    )
    expect(via && returnedVia(via, { address: 'fe80::7%eth0', port: 1, family: 6 })).toMatch(/;received=fe80::7$/)
  })
})

test('a response repeats Via, From, To, Call-ID and CSeq, and nothing else (RFC 3261 section 8.2.6)', () => {
  const text = message('OPTIONS', 'sip:example.com', 'v: SIP/2.0/TCP a;branch=1, SIP/2.0/TCP b', 'Subject: x')
  expect(formatted(text).split('\r\n')).toEqual([
    'SIP/2.0 200 OK',
    'Via: SIP/2.0/UDP gw.example.net:5060;branch=z9hG4bK-1;received=192.0.2.7',
    'From: <sip:gw@example.net>;tag=f1',
    expect.stringMatching(/^To: <sip:kim@example\.com>;tag=[0-9a-f]{20}$/),
    'Call-ID: c1@example.net',
    'CSeq: 1 OPTIONS',
    'Via: SIP/2.0/TCP a;branch=1, SIP/2.0/TCP b',
    'Allow: INVITE',
    'Content-Length: 0',
    '',
    '',
  ])
})

describe('the tag in To (RFC 3261 section 8.2.7)', () => {
  const tagOf = (text: string): string | undefined => /^To: .*;tag=(.*)$/m.exec(text)?.[1]
  const invite = message('INVITE', 'sip:kim@example.com')

  test('is the same for the same request', () => expect(formatted(invite)).toBe(formatted(invite)))
  test.each([
    ['another branch', invite.replace('z9hG4bK-1', 'z9hG4bK-2')],
    ['another call', invite.replace('c1@', 'c2@')],
    ['another number', invite.replace('CSeq: 1', 'CSeq: 2')],
  ])('is another for %s', (_label, text) => expect(tagOf(formatted(text))).not.toBe(tagOf(formatted(invite))))
  test('is another with another key', () => {
    expect(tagOf(formatted(invite, Buffer.alloc(32, 1)))).not.toBe(tagOf(formatted(invite)))
  })
  test('stays where there is one', () => {
    const inDialog = invite.replace('To: <sip:kim@example.com>', '$&;tag=mine')
    expect(tagOf(formatted(inDialog))).toBe('mine')
  })
})

describe('Contact', () => {
  const backend = (host: string, transport: 'udp' | 'tcp' | 'tls'): Backend => ({
    id: host,
    group: 'g',
    protocol: 'sip',
    address: { kind: 'tcp', host, port: 5062 },
    tls: { mode: 'none', verify: true },
    identity: { kind: 'none' },
    cleartextPasswords: 'loopback',
    transport,
    path: '',
  })
  const target = {
    mailbox: { kind: 'address', local: 'kim', domain: 'example.com' },
    user: 'kim',
    isPhone: false,
  } as const
  test.each([
    [
      'one server',
      [backend('um1.example.com', 'tls')],
      false,
      ['Contact: <sip:kim@um1.example.com:5062;transport=tls>'],
    ],
    ['IPv6', [backend('2001:db8::1', 'udp')], false, ['Contact: <sip:kim@[2001:db8::1]:5062;transport=udp>']],
    [
      'several',
      [backend('a', 'tcp'), backend('b', 'tcp')],
      false,
      ['Contact: <sip:kim@a:5062;transport=tcp>;q=1.0', 'Contact: <sip:kim@b:5062;transport=tcp>;q=0.9'],
    ],
    ['SIPS stays SIPS (RFC 5630 section 5.4)', [backend('a', 'tls')], true, ['Contact: <sips:kim@a:5062>']],
    ['no SIPS without TLS', [backend('a', 'tcp')], true, []],
  ])('%s', (_label, backends, secure, expected) => expect(contactsOf(backends, target, secure)).toEqual(expected))

  test('a number stays one', () => {
    expect(contactsOf([backend('a', 'tcp')], { ...target, user: '+4930', isPhone: true }, false)).toEqual([
      'Contact: <sip:+4930@a:5062;user=phone;transport=tcp>',
    ])
  })
})

test.each([
  ['a message', 'A\r\nB\r\n\r\nbody', { head: 'A\r\nB', bodyLength: 4, complete: true }],
  ['line ends before it (RFC 3261 section 7.5)', '\r\n\r\nA\r\n\r\n', { head: 'A', bodyLength: 0, complete: true }],
  ['no empty line', 'A\r\nB', { head: 'A\r\nB', bodyLength: 0, complete: false }],
  ['line ends alone', '\r\n\r\n', undefined],
  ['nothing', '', undefined],
])('a datagram of %s', (_label, text, expected) => expect(parseDatagram(Buffer.from(text, 'latin1'))).toEqual(expected))
