// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { decide, type Verdict } from '../src/decide.js'
import { FIELDS, head, message, PEER, RULES, request } from './messages.js'

const STRANGER = { trusted: false, admitted: true } as const

function shown(verdict: Verdict): string {
  if (verdict.kind === 'silence') return verdict.why
  if (verdict.kind === 'answer') return [verdict.status.code, ...verdict.fields].join(' ')
  const { mailbox, user, isPhone } = verdict.target
  return `${mailbox.local}@${mailbox.domain} as ${user}${isPhone ? ' phone' : ''}${verdict.secure ? ' secure' : ''}`
}

const decided = (text: string, sender = PEER, active = true): string =>
  shown(decide(request(text), RULES, sender, active))

/** Whose mailbox a Request-URI names. */
test.each([
  ['a user of a domain', 'sip:kim@example.com', 'kim@example.com as kim'],
  ['another domain', 'sip:kim@example.org', 'kim@example.org as kim'],
  ['the domain in another case', 'sip:kim@EXAMPLE.com', 'kim@example.com as kim'],
  ['the domain with its final dot', 'sip:kim@example.com.', 'kim@example.com as kim'],
  ['with a port and parameters', 'sip:kim@example.com:5060;transport=tcp;lr', 'kim@example.com as kim'],
  ['an address of the server', 'sip:kim@192.0.2.40', 'kim@example.com as kim'],
  ['an IPv6 address of the server', 'sip:kim@[2001:db8::40]:5060', 'kim@example.com as kim'],
  ['with a password, which nobody needs', 'sip:kim:secret@example.com', 'kim@example.com as kim'],
  ['SIPS', 'sips:kim@example.com', 'kim@example.com as kim secure'],
  ['escapes (RFC 3261 section 19.1.4)', 'sip:%6bim@example.com', 'kim@example.com as kim'],
  ['UTF-8 in escapes', 'sip:j%C3%BCrgen@example.com', 'jürgen@example.com as j%C3%BCrgen'],
  ['a number (RFC 3966)', 'tel:+49-30-12345', '+493012345@example.com as +493012345 phone'],
  ['a number in brackets', 'tel:+49(30)12345', '+493012345@example.com as +493012345 phone'],
  ['a number with an extension', 'tel:+49-30-1;ext=22', '+49301@example.com as +49301 phone'],
  ['a local number of a domain', 'tel:7042;phone-context=example.org', '7042@example.org as 7042 phone'],
  ['user=phone', 'sip:+49-30-12345@example.org;user=phone', '+493012345@example.org as +49-30-12345 phone'],
  ['user=phone, a local number', 'sip:7042@example.org;user=phone', '7042@example.org as 7042 phone'],
  ['a number that does not say so', 'sip:+49-30-12345@example.org', '+493012345@example.org as +49-30-12345'],
  ['digits that are a user', 'sip:7042@example.org', '7042@example.org as 7042'],
  ['another domain than ours', 'sip:kim@example.net', '404'],
  ['another address than ours', 'sip:kim@192.0.2.41', '404'],
  ['a local number of elsewhere', 'tel:7042;phone-context=example.net', '404'],
  ['a local number after digits', 'tel:7042;phone-context=+4930', '404'],
  ['user=phone that is no number', 'sip:kim@example.com;user=phone', '404'],
  ['a second at sign', 'sip:kim%40example.org@example.com', '404'],
  ['NUL', 'sip:null-%00-null@example.com', '404'],
  ['escapes that are no UTF-8', 'sip:%ff@example.com', '404'],
  ['a very long user', `sip:${'k'.repeat(300)}@example.com`, '404'],
  ['nobody', 'sip:example.com', '404'],
  ['another scheme', 'http://example.com/', '416'],
  ['a scheme that nobody knows', 'nobodyKnowsThisScheme:totallyopaquecontent', '416'],
  ['no URI', 'kim@example.com', '400'],
  ['header components (section 19.1.1)', 'sip:kim@example.com?Route=%3Csip:example.com%3E', '400'],
  ['a port that is none', 'sip:kim@example.com:70000', '400'],
  ['port 0', 'sip:kim@example.com:0', '400'],
  ['an escape that is none', 'sip:%zz@example.com', '400'],
  ['angle brackets', '<sip:kim@example.com>', '400'],
])('INVITE for %s', (_label, uri, expected) => {
  expect(decided(message('INVITE', uri))).toBe(expected)
})

/** RFC 3261 section 8.2 in its order. */
test.each([
  ['ACK is absorbed', message('ACK', 'sip:kim@example.com'), 'ack'],
  ['ACK is absorbed whatever is wrong with it', head('ACK sip:kim@example.com SIP/2.0', 'Junk'), 'ack'],
  ['CANCEL', message('CANCEL', 'sip:kim@example.com'), '481'],
  ['BYE', message('BYE', 'sip:kim@example.com'), '405 Allow: INVITE, ACK, CANCEL, OPTIONS'],
  ['REGISTER', message('REGISTER', 'sip:example.com'), '405 Allow: INVITE, ACK, CANCEL, OPTIONS'],
  ['a method that nobody knows', message('NEWMETHOD', 'sip:x@y'), '501 Allow: INVITE, ACK, CANCEL, OPTIONS'],
  ['methods have a case', message('invite', 'sip:kim@example.com'), '501 Allow: INVITE, ACK, CANCEL, OPTIONS'],
  ['OPTIONS for a mailbox', message('OPTIONS', 'sip:kim@example.com'), 'kim@example.com as kim'],
  [
    'OPTIONS for the server',
    message('OPTIONS', 'sip:192.0.2.40'),
    '200 Allow: INVITE, ACK, CANCEL, OPTIONS Accept: application/sdp',
  ],
  [
    'Require',
    message('INVITE', 'sip:kim@example.com', 'Require: 100rel, x', 'Proxy-Require: y'),
    '420 Unsupported: 100rel, x, y',
  ],
  ['an empty Require', message('INVITE', 'sip:kim@example.com', 'Require:'), 'kim@example.com as kim'],
  ['Require does not bind CANCEL', message('CANCEL', 'sip:kim@example.com', 'Require: x'), '481'],
  ['an unknown scheme comes before Require', message('INVITE', 'x:y', 'Require: x'), '416'],
])('%s', (_label, text, expected) => expect(decided(text)).toBe(expected))

test('OPTIONS with Max-Forwards 0 goes no further than here (RFC 3261 section 11.2)', () => {
  expect(decided(message('OPTIONS', 'sip:kim@example.com').replace('Forwards: 70', 'Forwards: 0'))).toMatch(/^200/)
  expect(decided(message('INVITE', 'sip:kim@example.com').replace('Forwards: 70', 'Forwards: 0'))).toMatch(/^kim@/)
})

test('a tag in To speaks of a dialog that does not exist (RFC 3261 section 12.2.2)', () => {
  expect(decided(message('INVITE', 'sip:kim@example.com').replace('To: <sip:kim@example.com>', '$&;tag=x'))).toBe('481')
})

test('another version is 505', () => {
  expect(decided(message('INVITE', 'sip:kim@example.com').replace('SIP/2.0\r\n', 'SIP/7.0\r\n'))).toBe('505')
})

test('whoever is not admitted learns nothing of mailboxes', () => {
  const stranger = { trusted: false, admitted: false }
  for (const uri of ['sip:kim@example.com', 'sip:example.com', 'x:y']) {
    expect(shown(decide(request(message('OPTIONS', uri)), RULES, stranger, true))).toBe('403')
  }
})

test('a service that is not active says so to pings and to strangers’ mailboxes', () => {
  expect(decided(message('OPTIONS', 'sip:192.0.2.40'), PEER, false)).toBe('503')
  expect(decided(message('INVITE', 'sip:kim@example.net'), PEER, false)).toBe('503')
})

/** RFC 5806, RFC 7044. */
const DIVERTED = 'Diversion: <sip:lee@example.com>;reason=no-answer, <sip:kim@example.com>;reason=user-busy'
const HISTORY = [
  'History-Info: <sip:kim@example.com>;index=1, <sip:lee@example.com?Reason=SIP%3Bcause%3D302>;index=1.1;mp=1',
  'History-Info: <sip:voice@example.com>;index=1.2;mp=1.1',
]
test.each([
  ['the last one who diverted is topmost', [DIVERTED], 'lee@example.com as voice'],
  ['what the last mp was mapped from', HISTORY, 'lee@example.com as voice'],
  [
    'the one before the last without mp',
    ['History-Info: <sip:kim@example.com>;index=1, <sip:voice@example.com>;index=1.1'],
    'kim@example.com as voice',
  ],
  ['Diversion before History-Info', [...HISTORY, 'Diversion: "Kim" <tel:+49-30-1>'], '+49301@example.com as voice'],
  ['not of a mailbox of ours', ['Diversion: <sip:x@example.net>'], 'voice@example.com as voice'],
  ['that cannot be read', ['Diversion: "kim <sip:kim@example.com>'], 'voice@example.com as voice'],
  [
    'one entry of History-Info diverted nothing',
    ['History-Info: <sip:voice@example.com>;index=1'],
    'voice@example.com as voice',
  ],
])('a diverted call: %s', (_label, fields, expected) => {
  expect(decided(message('INVITE', 'sip:voice@example.com', ...fields))).toBe(expected)
})

test('a diverted call to the server itself is named after its mailbox', () => {
  expect(decided(message('INVITE', 'sip:192.0.2.40', DIVERTED))).toBe('lee@example.com as lee')
})

test('nobody but a peer is believed who diverted a call', () => {
  expect(shown(decide(request(message('INVITE', 'sip:voice@example.com', DIVERTED)), RULES, STRANGER, true))).toBe(
    'voice@example.com as voice',
  )
})

/** What makes a request 400, or keeps it from being answered. */
const broken = (from: string, to: string): string => message('INVITE', 'sip:kim@example.com').replace(from, to)
test.each([
  ['no Via', broken(`${FIELDS[0]}\r\n`, ''), 'no-via'],
  ['a Via that cannot be read', broken('SIP/2.0/UDP gw', 'SIP/3.0/UDP gw'), 'no-via'],
  ['a Via without a host', broken('UDP gw.example.net:5060', 'UDP ;'), 'no-via'],
  ['no From', broken(`${FIELDS[1]}\r\n`, ''), '400'],
  ['no To', broken(`${FIELDS[2]}\r\n`, ''), '400'],
  ['no Call-ID', broken(`${FIELDS[3]}\r\n`, ''), '400'],
  ['no CSeq', broken('\r\nCSeq: 1 INVITE', ''), '400'],
  ['two of To', broken(FIELDS[2], `${FIELDS[2]}\r\nt: <sip:lee@example.com>`), '400'],
  ['a CSeq of another method', broken('1 INVITE', '1 OPTIONS'), '400'],
  ['a CSeq above 2**31', broken('1 INVITE', '4294967296 INVITE'), '400'],
  ['Max-Forwards above 255', broken('Forwards: 70', 'Forwards: 300'), '400'],
  ['a negative length', broken('Max-Forwards: 70', 'Content-Length: -1'), '400'],
  ['a field without a colon', broken('Max-Forwards: 70', 'Max-Forwards 70'), '400'],
  ['a control character', broken('c1@', 'c\x001@'), '400'],
  ['a bare LF', broken('c1@', 'c1\n@'), '400'],
  ['a request line with two spaces', broken('INVITE sip', 'INVITE  sip'), '400'],
  ['a request line with a space at its end', broken('SIP/2.0\r\nVia', 'SIP/2.0 \r\nVia'), '400'],
  ['Max-Forwards may be absent, as in RFC 2543', broken('Max-Forwards: 70\r\n', ''), 'kim@example.com as kim'],
])('%s', (_label, text, expected) => expect(decided(text)).toBe(expected))
