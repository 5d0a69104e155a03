// SPDX-License-Identifier: MIT
// The named cases of RFC 4475, in words of our own, as far as a redirect server tells them apart.
import { expect, test } from 'vitest'
import { decide } from '../src/decide.js'
import { parseHead } from '../src/parse.js'
import { parseDatagram } from '../src/parse-datagram.js'
import { contentLength, requestOf } from '../src/request.js'
import { RULES } from './messages.js'

const SDP = 'v=0\r\no=kim 0 0 IN IP4 192.0.2.3\r\ns=-\r\nt=0 0\r\n'

interface Parts {
  readonly start?: string
  readonly via?: string
  readonly from?: string
  readonly to?: string
  readonly id?: string
  readonly cseq?: string
  readonly more?: readonly string[]
  readonly length?: string
  readonly body?: string
}

function message(parts: Parts): string {
  const method = parts.start?.split(' ')[0] ?? 'OPTIONS'
  return [
    parts.start ?? `${method} sip:kim@example.com SIP/2.0`,
    parts.via ?? 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw',
    parts.from ?? 'From: <sip:caller@example.net>;tag=33242',
    parts.to ?? 'To: <sip:kim@example.com>',
    parts.id ?? 'Call-ID: torture.0ha0isndaksdj@192.0.2.1',
    parts.cseq ?? `CSeq: 8 ${method}`,
    'Max-Forwards: 70',
    ...(parts.more ?? []),
    `Content-Length: ${parts.length ?? (parts.body ?? '').length}`,
    '',
    parts.body ?? '',
  ].join('\r\n')
}

/** What becomes of one datagram: a status, a mailbox, or why it is dropped. */
function outcome(text: string): string {
  const whole = parseDatagram(Buffer.from(text, 'latin1'))
  const head = parseHead(whole?.head ?? '')
  if (head.kind !== 'request') return head.kind
  const request = requestOf(head)
  if ((contentLength(request.fields) ?? 0) > (whole?.bodyLength ?? 0)) return '400'
  const verdict = decide(request, RULES, { trusted: false, admitted: true }, true)
  if (verdict.kind === 'silence') return verdict.why
  return verdict.kind === 'answer' ? String(verdict.status.code) : verdict.target.mailbox.local
}

const TORTUOUS = [
  'INVITE sip:kim@example.com;unknownparam SIP/2.0',
  'TO :',
  ' sip:kim@example.com ;   tag    = 1918181833n',
  'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
  '  ;',
  '  tag = 98asjd8',
  'MaX-fOrWaRdS: 0068',
  'Call-ID: wsinv.ndaksdj@192.0.2.1',
  'Content-Length   : 0',
  'cseq: 0009',
  '  INVITE',
  'Via  : SIP  /   2.0',
  ' /UDP',
  '    192.0.2.2;branch=390skdjuw',
  's :',
  'NewFangledHeader:   newfangled value',
  ' continued newfangled value',
  'UnknownHeaderWithUnusualValue: ;;,,;;,;',
  'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
  '  branch  =   z9hG4bK9ikj8  ,',
  ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
  ' z9hG4bK30239',
  'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
  '      newvalue ;',
  '  secondparam ; q = 0.33',
  '',
  '',
].join('\r\n')

/** Sections 3.1.1: what is good, however odd. */
test.each([
  // A tag in To, which a redirect server has never given.
  ['wsinv', TORTUOUS, '481'],
  ['wsinv without its tag', TORTUOUS.replace(' ;   tag    = 1918181833n', ''), 'kim'],
  [
    'intmeth',
    message({
      start:
        "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0",
    }),
    '501',
  ],
  [
    'intmeth as INVITE',
    message({
      start:
        "INVITE sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0",
    }),
    "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
  ],
  ['esc01', message({ start: 'INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0' }), '404'],
  ['escnull', message({ start: 'REGISTER sip:example.com SIP/2.0', to: 'To: sip:null-%00-null@example.com' }), '405'],
  [
    'esc02',
    message({ start: 'RE%47IST%45R sip:registrar.example.com SIP/2.0', to: 'To: "%Z%45" <sip:resource@example.com>' }),
    '501',
  ],
  ['lwsdisp', message({ from: 'From: caller<sip:caller@example.com>;tag=323' }), 'kim'],
  [
    'longreq',
    message({
      start: 'INVITE sip:kim@example.com SIP/2.0',
      to: `To: "I have a user name of ${'extreme'.repeat(60)} proportion"<sip:kim@example.com:6000;unknownparam1=very${'long'.repeat(40)}value;longparam${'name'.repeat(40)}=shortvalue;very${'long'.repeat(60)}ParameterNameWithNoValue>`,
      more: [
        `Unknown-${'Long'.repeat(30)}-Name: ${'x'.repeat(2_000)}`,
        ...Array.from({ length: 20 }, (_, at) => `Via: SIP/2.0/TCP sip${at}.example.com`),
      ],
    }),
    'kim',
  ],
  [
    'dblreq',
    `${message({ start: 'REGISTER sip:example.com SIP/2.0' })}INVITE sip:joe@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n`,
    '405',
  ],
  ['semiuri', message({ start: 'OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0' }), '404'],
  ['semiuri without a second at', message({ start: 'OPTIONS sip:user;par=u@example.com SIP/2.0' }), 'user;par=u'],
  [
    'transports',
    message({
      more: [
        'Via: SIP/2.0/SCTP t2.example.com',
        'Via: SIP/2.0/TLS t3.example.com',
        'Via: SIP/2.0/UNKNOWN t4.example.com',
      ],
    }),
    'kim',
  ],
  [
    'mpart01',
    message({
      start: 'MESSAGE sip:kim@example.com SIP/2.0',
      body: '--7a9cbec02ceef655\r\n\0\xff\r\n--7a9cbec02ceef655--',
    }),
    '405',
  ],
  ['unreason', 'SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe\r\nVia: SIP/2.0/UDP 192.0.2.198\r\n\r\n', 'response'],
  ['noreason', 'SIP/2.0 100 \r\nVia: SIP/2.0/UDP 192.0.2.105\r\n\r\n', 'response'],
])('%s', (_name, text, expected) => expect(outcome(text)).toBe(expected))

/** Section 3.1.2: what is not. */
test.each([
  [
    'badinv01',
    message({
      start: 'INVITE sip:kim@example.com SIP/2.0',
      via: 'Via: SIP/2.0/UDP 192.0.2.15;;,;,,',
      from: 'From: "Joe" <sip:joe@example.org>;;;;',
    }),
    'no-via',
  ],
  ['badinv01, in From alone', message({ from: 'From: "Joe" <sip:joe@example.org>;;;;' }), '400'],
  ['clerr', message({ start: 'INVITE sip:kim@example.com SIP/2.0', length: '9999', body: SDP }), '400'],
  ['ncl', message({ start: 'INVITE sip:kim@example.com SIP/2.0', length: '-999', body: SDP }), '400'],
  ['scalar02', message({ cseq: 'CSeq: 36893488147419103232 OPTIONS' }), '400'],
  ['scalar02, of Max-Forwards', message({}).replace('Forwards: 70', 'Forwards: 300'), '400'],
  [
    'scalarlg',
    'SIP/2.0 503 Service Unavailable\r\nVia: SIP/2.0/TCP host129\r\nCSeq: 9292394834772304023312 OPTIONS\r\nRetry-After: 949302838503028349304023988\r\n\r\n',
    'response',
  ],
  ['quotbal', message({ to: 'To: "Mr. J. User <sip:j.user@example.com>' }), '400'],
  ['ltgtruri', message({ start: 'OPTIONS <sip:kim@example.com> SIP/2.0' }), '400'],
  ['lwsruri', message({ start: 'OPTIONS sip:kim@example.com; lr SIP/2.0' }), '400'],
  ['lwsstart', message({ start: 'OPTIONS  sip:kim@example.com  SIP/2.0' }), '400'],
  ['trws', message({ start: 'OPTIONS sip:kim@example.com SIP/2.0  ' }), '400'],
  ['escruri', message({ start: 'OPTIONS sip:kim@example.com?Route=%3Csip:example.com%3E SIP/2.0' }), '400'],
  ['baddate', message({ more: ['Date: Fri, 01 Jan 2010 16:00:00 EST'] }), 'kim'],
  [
    'regbadct',
    message({
      start: 'REGISTER sip:example.com SIP/2.0',
      more: ['Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E'],
    }),
    '405',
  ],
  ['badaspec', message({ to: 'To: "Watson, Thomas" < sip:t.watson@example.org >' }), '400'],
  ['baddn', message({ from: 'From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43' }), '400'],
  ['badvers', message({ start: 'OPTIONS sip:t.watson@example.org SIP/7.0' }), '505'],
  ['mismatch01', message({ cseq: 'CSeq: 8 INVITE' }), '400'],
  ['mismatch02', message({ start: 'NEWMETHOD sip:kim@example.com SIP/2.0', cseq: 'CSeq: 8 INVITE' }), '400'],
  ['bigcode', 'SIP/2.0 4294967301 better not break the receiver\r\nVia: SIP/2.0/UDP 192.0.2.105\r\n\r\n', 'response'],
])('%s', (_name, text, expected) => expect(outcome(text)).toBe(expected))

/** Sections 3.2 to 3.4: what is good in form, and where it matters what it says. */
test.each([
  ['badbranch', message({ via: 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK' }), 'kim'],
  ['insuf', message({ id: 'Subject: none' }), '400'],
  ['unkscm', message({ start: 'OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0' }), '416'],
  ['novelsc', message({ start: 'OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0' }), '416'],
  [
    'unksm2',
    message({
      start: 'REGISTER sip:example.com SIP/2.0',
      to: 'To: isbn:2983792873',
      from: 'From: <http://www.example.com>;tag=3234233',
    }),
    '405',
  ],
  [
    'bext01',
    message({
      more: [
        'Require: nothingSupportsThis, nothingSupportsThisEither',
        'Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis',
      ],
    }),
    '420',
  ],
  [
    'invut',
    message({
      start: 'INVITE sip:kim@example.com SIP/2.0',
      more: ['Content-Type: application/unknownformat'],
      body: '<audio/>',
    }),
    'kim',
  ],
  [
    'regaut01',
    message({
      start: 'REGISTER sip:example.com SIP/2.0',
      more: ['Authorization: NoOneKnowsThisScheme opaque-data=here'],
    }),
    '405',
  ],
  [
    'multi01',
    message({
      start: 'INVITE sip:kim@example.com SIP/2.0',
      more: [
        'CSeq: 59 INVITE',
        'Call-ID: second@192.0.2.1',
        'To: sip:company@example.com',
        'From: sip:other@example.com;tag=3',
      ],
    }),
    '400',
  ],
  ['mcl01', message({ more: ['Content-Length: 13'], body: 'there once was' }), '400'],
  [
    'bcast',
    'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\nVia: SIP/2.0/UDP 255.255.255.255\r\n\r\n',
    'response',
  ],
  ['zeromf', message({}).replace('Forwards: 70', 'Forwards: 0'), '200'],
  [
    'cparam01',
    message({
      start: 'REGISTER sip:example.com SIP/2.0',
      more: ['Contact: sip:+19725552222@gw1.example.net;unknownparam'],
    }),
    '405',
  ],
  [
    'regescrt',
    message({
      start: 'REGISTER sip:example.com SIP/2.0',
      more: ['Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>'],
    }),
    '405',
  ],
  [
    'sdp01',
    message({ start: 'INVITE sip:kim@example.com SIP/2.0', more: ['Accept: text/nobodyKnowsThis'], body: SDP }),
    'kim',
  ],
  [
    'inv2543',
    'INVITE sip:kim@example.com SIP/2.0\r\nVia: SIP/2.0/UDP iftgw.example.com\r\nTo: <sip:kim@example.com>\r\nFrom: <sip:+1@ift.client.example.net;user=phone>\r\nCall-ID: inv2543.1717@ift.client.example.com\r\nCSeq: 56 INVITE\r\n\r\n' +
      SDP,
    'kim',
  ],
])('%s', (_name, text, expected) => expect(outcome(text)).toBe(expected))
