// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type MailCommand, parseCommand, type RcptCommand } from '../src/parse.js'
import { REPLIES } from '../src/replies.js'
import {
  type MailParameters,
  mailLine,
  missingAt,
  rcptLine,
  readMailParameters,
  readRcptParameters,
} from '../src/transaction/parameters.js'

const ALL = new Set([
  'SIZE',
  '8BITMIME',
  'BINARYMIME',
  'CHUNKING',
  'SMTPUTF8',
  'AUTH',
  'DSN',
  'REQUIRETLS',
  'MT-PRIORITY',
])
const NONE = new Set<string>()
const bare: MailParameters = {
  size: 0,
  body: undefined,
  international: false,
  ret: undefined,
  envid: undefined,
  requireTls: false,
  priority: undefined,
}

function mail(text: string, offered = ALL) {
  const command = parseCommand(`MAIL FROM:<a@b.example> ${text}`) as MailCommand
  return readMailParameters(command.parameters, offered)
}

function rcpt(text: string, { offered = ALL, international = false } = {}) {
  const command = parseCommand(`RCPT TO:<a@b.example> ${text}`) as RcptCommand
  return readRcptParameters(command.parameters, offered, international)
}

describe('parameters of MAIL', () => {
  test.each<[string, string, Partial<MailParameters>]>([
    ['SIZE (RFC 1870)', 'SIZE=1000', { size: 1000 }],
    ['BODY=7BIT (RFC 6152)', 'BODY=7BIT', { body: '7BIT' }],
    ['BODY=8BITMIME in any case', 'body=8bitmime', { body: '8BITMIME' }],
    ['BODY=BINARYMIME (RFC 3030)', 'BODY=BINARYMIME', { body: 'BINARYMIME' }],
    ['SMTPUTF8 (RFC 6531)', 'SMTPUTF8', { international: true }],
    ['AUTH, which is not believed (RFC 4954 section 5)', 'AUTH=e+3Dmc2@example.com', {}],
    ['AUTH of nobody', 'AUTH=<>', {}],
    ['RET and ENVID (RFC 3461)', 'RET=hdrs ENVID=QQ314159', { ret: 'HDRS', envid: 'QQ314159' }],
    ['an ENVID of 100 characters', `ENVID=${'e'.repeat(100)}`, { envid: 'e'.repeat(100) }],
    ['REQUIRETLS (RFC 8689)', 'REQUIRETLS', { requireTls: true }],
    ['MT-PRIORITY (RFC 6710)', 'MT-PRIORITY=3', { priority: 3 }],
    ['the lowest priority', 'MT-PRIORITY=-9', { priority: -9 }],
    ['no priority', 'MT-PRIORITY=0', { priority: 0 }],
  ])('%s', (_label, text, expected) => {
    expect(mail(text)).toEqual({ ...bare, ...expected })
  })

  test.each<[string, string]>([
    ['SIZE without a value', 'SIZE'],
    ['SIZE of words', 'SIZE=big'],
    ['an unknown BODY', 'BODY=9BIT'],
    ['SMTPUTF8 with a value', 'SMTPUTF8=yes'],
    ['AUTH that is no xtext', 'AUTH=a+3x'],
    ['RET of something else', 'RET=SOME'],
    ['an ENVID of 101 characters', `ENVID=${'e'.repeat(101)}`],
    ['an ENVID that is no xtext', 'ENVID=a+zz'],
    ['an ENVID of nothing', 'ENVID'],
    ['REQUIRETLS with a value', 'REQUIRETLS=1'],
    ['a priority out of range', 'MT-PRIORITY=10'],
    ['a priority with a plus', 'MT-PRIORITY=+1'],
    ['a priority of minus nothing', 'MT-PRIORITY=-0'],
  ])('%s is malformed', (_label, text) => {
    expect(mail(text)).toBe(REPLIES.badArguments)
  })

  test.each([
    'SIZE=1',
    'BODY=7BIT',
    'SMTPUTF8',
    'AUTH=<>',
    'RET=FULL',
    'ENVID=e',
    'REQUIRETLS',
    'MT-PRIORITY=1',
    'X=1',
  ])('%s is not taken where its extension was not offered (RFC 5321 section 4.1.1.11)', (text) => {
    expect(mail(text, NONE)).toBe(REPLIES.unknownParameter)
  })

  test('BINARYMIME is not a body where only 8BITMIME was offered', () => {
    expect(mail('BODY=BINARYMIME', new Set(['8BITMIME']))).toBe(REPLIES.badArguments)
  })
})

describe('parameters of RCPT (RFC 3461)', () => {
  test.each<[string, string, unknown]>([
    ['none', '', { notify: undefined, orcpt: undefined }],
    ['NOTIFY=NEVER', 'NOTIFY=never', { notify: 'NEVER', orcpt: undefined }],
    ['a list', 'NOTIFY=SUCCESS,Failure,DELAY', { notify: 'SUCCESS,FAILURE,DELAY', orcpt: undefined }],
    ['ORCPT', 'ORCPT=rfc822;a+2Bb@c.example', { notify: undefined, orcpt: 'rfc822;a+2Bb@c.example' }],
    ['ORCPT of 500 characters', `ORCPT=x;${'y'.repeat(498)}`, { notify: undefined, orcpt: `x;${'y'.repeat(498)}` }],
  ])('%s', (_label, text, expected) => {
    expect(rcpt(text)).toEqual(expected)
  })

  test.each<[string, string]>([
    ['NOTIFY without a value', 'NOTIFY'],
    ['NEVER in a list', 'NOTIFY=NEVER,DELAY'],
    ['an event twice', 'NOTIFY=DELAY,DELAY'],
    ['an unknown event', 'NOTIFY=MAYBE'],
    ['an empty event', 'NOTIFY=DELAY,'],
    ['ORCPT without a type', 'ORCPT=a@b.example'],
    ['ORCPT without an address', 'ORCPT=rfc822;'],
    ['ORCPT that is no xtext', 'ORCPT=rfc822;a+q1'],
    ['ORCPT of 501 characters', `ORCPT=x;${'y'.repeat(499)}`],
    ['UTF-8 in a message that is not', 'ORCPT=utf-8;\xc3\xa4@b.example'],
  ])('%s is malformed', (_label, text) => {
    expect(rcpt(text)).toBe(REPLIES.badArguments)
  })

  test('UTF-8 is an original recipient of an internationalized message (RFC 6533 section 3)', () => {
    const orcpt = 'utf-8;\xc3\xa4@b.example'
    expect(rcpt(`ORCPT=${orcpt}`, { international: true })).toEqual({ notify: undefined, orcpt })
  })

  test.each(['NOTIFY=DELAY', 'ORCPT=rfc822;a', 'X'])('%s is not taken where DSN was not offered', (text) => {
    expect(rcpt(text, { offered: NONE })).toBe(REPLIES.unknownParameter)
  })
})

describe('what a backend is asked', () => {
  test('all that it knows of what the client gave', () => {
    const given = 'SIZE=9 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=e+2B REQUIRETLS MT-PRIORITY=-2'
    expect(mailLine('a@b.example', mail(given) as MailParameters, ALL)).toBe(`MAIL FROM:<a@b.example> ${given}`)
  })

  test('nothing that it does not know', () => {
    const given = mail('SIZE=9 BODY=7BIT RET=FULL ENVID=e MT-PRIORITY=-2') as MailParameters
    expect(mailLine('', given, NONE)).toBe('MAIL FROM:<>')
  })

  test.each<[string, string, ReadonlySet<string>, string | undefined]>([
    ['all of DSN', 'NOTIFY=NEVER ORCPT=x;y', ALL, 'RCPT TO:<b> NOTIFY=NEVER ORCPT=x;y'],
    ['what it does without being asked', 'NOTIFY=FAILURE,DELAY ORCPT=x;y', NONE, 'RCPT TO:<b>'],
    ['no promise of silence without DSN', 'NOTIFY=NEVER', NONE, undefined],
    ['no promise of a receipt without DSN', 'NOTIFY=SUCCESS', NONE, undefined],
  ])('%s', (_label, text, extensions, expected) => {
    expect(rcptLine('b', rcpt(text) as never, extensions)).toBe(expected)
  })

  test.each<[string, string, string[], boolean, unknown]>([
    ['nothing is missing for a plain message', '', [], false, undefined],
    ['SMTPUTF8', 'SMTPUTF8', ['8BITMIME'], true, REPLIES.noSmtpUtf8],
    ['8BITMIME', 'BODY=8BITMIME', [], true, REPLIES.noEightBit],
    ['BINARYMIME without CHUNKING', 'BODY=BINARYMIME', ['BINARYMIME'], true, REPLIES.noBinary],
    ['CHUNKING without BINARYMIME', 'BODY=BINARYMIME', ['CHUNKING'], true, REPLIES.noBinary],
    ['BINARYMIME', 'BODY=BINARYMIME', ['CHUNKING', 'BINARYMIME'], true, undefined],
    ['REQUIRETLS on an unencrypted connection', 'REQUIRETLS', ['REQUIRETLS'], false, REPLIES.noRequireTls],
    ['REQUIRETLS that it does not know', 'REQUIRETLS', [], true, REPLIES.noRequireTls],
    ['REQUIRETLS', 'REQUIRETLS', ['REQUIRETLS'], true, undefined],
  ])('%s', (_label, text, extensions, encrypted, expected) => {
    expect(missingAt(mail(text) as MailParameters, { extensions: new Set(extensions), encrypted })).toBe(expected)
  })

  test('no value of a client can end a command', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (envid, orcpt) => {
        const parsed = parseCommand(`MAIL FROM:<> ENVID=${envid}`)
        const asked = parseCommand(`RCPT TO:<b> ORCPT=x;${orcpt}`)
        if (parsed.kind === 'mail') {
          const read = readMailParameters(parsed.parameters, ALL)
          if (!('code' in read)) expect(mailLine('', read, ALL)).toMatch(/^[!-~ ]*$/)
        }
        if (asked.kind === 'rcpt') {
          const read = readRcptParameters(asked.parameters, ALL, false)
          if (!('code' in read)) expect(rcptLine('b', read, ALL)).toMatch(/^[!-~ ]*$/)
        }
      }),
    )
  })
})
