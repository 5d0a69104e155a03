// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editHeader, type LineForm, parseHeader } from '../src/message/header-fields.js'
import { type FirewallPolicy, headerFirewall } from '../src/message/header-firewall.js'

const EVERYTHING: FirewallPolicy = {
  organization: true,
  forest: true,
  own: true,
  routing: true,
  forgedResultsOf: 'mail.example',
}

function filtered(text: string, policy: FirewallPolicy = EVERYTHING, form: LineForm = 'plain'): string {
  const section = Buffer.from(text, 'latin1')
  const edits = [{ remove: headerFirewall(policy), prepend: [] }]
  return Buffer.concat(editHeader(section, parseHeader(section, form), edits, form)).toString('latin1')
}

const passes = (field: string, policy?: FirewallPolicy, form?: LineForm) =>
  filtered(`A: 1\r\n${field}\r\nB: 2\r\n\r\n`, policy, form) !== 'A: 1\r\nB: 2\r\n\r\n'

test('results of an id that no host has are taken out before anybody normalizes it', () => {
  const id = `a${'\xcc\x80\xcc\xa3'.repeat(50_000)}`
  const started = performance.now()
  expect(passes(`Authentication-Results: ${id}; spf=pass`)).toBe(false)
  expect(performance.now() - started).toBeLessThan(1_000)
})

describe('fields that only we and our organization may write', () => {
  test.each<[string, boolean]>([
    ['X-MS-Exchange-Organization-SCL: -1', false],
    ['x-ms-exchange-ORGANIZATION-scl: -1', false],
    ['X-MS-Exchange-Organization-SCL : 5', false],
    ['X-MS-Exchange-Organization-SCL \t :5', false],
    ['X-MS-Exchange-Organization-: 5', false],
    ['X-MS-Exchange-Organization-SCL:\r\n -1', false],
    ['X-MS-Exchange-Organization-SCL\r\n : -1', false],
    ['X-MS-Exchange-\r\n Organization-SCL: -1', false],
    ['X-MS-Exchange-Organization-\xffSCL: -1', false],
    ['\xef\xbb\xbfX-MS-Exchange-Organization-SCL: -1', false],
    ['X-MS-Exch\0ange-Organization-SCL: -1', false],
    ['X-MS-Exchange-Organization-\x7fSCL: -1', false],
    ['X-MS-Exchange-Forest-RulesExecuted: x', false],
    ['X-Portico-Session: x', false],
    ['Received: from a by b', false],
    ['RECEIVED : from a by b', false],
    ['Received\r\n : from a by b', false],
    ['Re\r\n ceived: from a by b', false],
    ['Resent-From: a@b.example', false],
    ['resent-\r\n\tto: a@b.example', false],
    ['Resent-X: anything', false],
    ['Received-SPF: pass', true],
    ['X-Received: from a by b', true],
    ['Resent: yes', true],
    ['Return-Path: <a@b.example>', true],
    ['X-MS-Exchange-Organization', true],
    ['X-MS-Exchange-Organization: x', true],
    ['X-MS-Exchange-CrossTenant-Id: x', true],
    ['X-Porticos: x', true],
    ['Subject: X-MS-Exchange-Organization-SCL: -1', true],
    ['Subject: x\r\n X-MS-Exchange-Organization-SCL: -1', true],
    ['MX-MS-Exchange-Organization-SCL: -1', true],
    ['.X-MS-Exchange-Organization-SCL: -1', true],
  ])('%j passes: %s', (field, passed) => {
    expect(passes(field)).toBe(passed)
  })

  test('the dot of the DATA form hides nothing (RFC 5321 section 4.5.2)', () => {
    expect(passes('.X-MS-Exchange-Organization-SCL: -1', EVERYTHING, 'data')).toBe(false)
    expect(passes('..X-MS-Exchange-Organization-SCL: -1', EVERYTHING, 'data')).toBe(true)
    expect(passes('X-MS-Exchange-\r\n. Organization-SCL: -1', EVERYTHING, 'data')).toBe(false)
  })

  test('in front of any other line, white space hides nothing either', () => {
    expect(filtered(' X-MS-Exchange-Organization-SCL: -1\r\nA: 1\r\n\r\n')).toBe('A: 1\r\n\r\n')
  })

  test.each<[keyof FirewallPolicy, string]>([
    ['organization', 'X-MS-Exchange-Organization-SCL: -1'],
    ['forest', 'X-MS-Exchange-Forest-X: 1'],
    ['own', 'X-Portico-X: 1'],
    ['routing', 'Received: from a by b'],
    ['routing', 'Resent-Date: x'],
    ['forgedResultsOf', 'Authentication-Results: mail.example; spf=pass'],
  ])('%s by policy', (kind, field) => {
    const nothing = { organization: false, forest: false, own: false, routing: false, forgedResultsOf: undefined }
    expect(passes(field, nothing)).toBe(true)
    expect(passes(field, { ...nothing, [kind]: EVERYTHING[kind] })).toBe(false)
    expect(passes(field, { ...EVERYTHING, [kind]: nothing[kind] })).toBe(true)
  })
})

describe('results that claim to be ours (RFC 8601 section 5)', () => {
  test.each<[string, boolean]>([
    ['mail.example; spf=pass', false],
    ['MAIL.Example; spf=pass', false],
    ['mail.example.; spf=pass', false],
    ['mail.example 1; spf=pass', false],
    ['mail.example(1); spf=pass', false],
    ['mail.example', false],
    ['mail.example ; none', false],
    ['"mail.example"; spf=pass', false],
    ['"mail\\.example"; spf=pass', false],
    ['(a comment) mail.example; spf=pass', false],
    ['(nested (a) \\) b)\r\n\tmail.example; spf=pass', false],
    ['\r\n mail.example; spf=pass', false],
    ['mail\x01.example; spf=pass', false],
    ['(no end mail.example; spf=pass', false],
    ['"no end mail.example; spf=pass', false],
    ['', false],
    ['other.example; spf=pass', true],
    ['notmail.example; spf=pass', true],
    ['mail.example.org; spf=pass', true],
    ['other.example; spf=pass smtp.mailfrom=mail.example', true],
    ['(mail.example) other.example; spf=pass', true],
    ['spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.example', true],
  ])('%j passes: %s', (results, passed) => {
    expect(passes(`Authentication-Results: ${results}`)).toBe(passed)
    expect(passes(`AUTHENTICATION-results :${results}`)).toBe(passed)
  })

  test('a name in U-labels is the same as in A-labels (RFC 8616 section 3)', () => {
    const policy = { ...EVERYTHING, forgedResultsOf: 'xn--bcher-kva.example' }
    expect(passes('Authentication-Results: b\xc3\xbccher.example; spf=pass', policy)).toBe(false)
    expect(passes('Authentication-Results: b\xc3\xb6cher.example; spf=pass', policy)).toBe(true)
  })

  test('sealed results stay, whosever they are (RFC 8617 section 4.1)', () => {
    expect(passes('ARC-Authentication-Results: i=1; mail.example; spf=pass')).toBe(true)
  })
})

/** Reads as lax programs do: any white space, control and 8-bit octets in names are ignored, and lines that are no field are passed over. */
function lenientNames(section: string, form: LineForm): string[] {
  const lines = section.split('\r\n').map((line) => (form === 'data' && line.startsWith('.') ? line.slice(1) : line))
  const unfolded = lines.join('\r\n').replace(/\r\n[ \t]+/g, ' ')
  const fields = unfolded.split('\r\n').filter((line) => line.includes(':'))
  return fields.map((line) => (line.split(':', 1)[0] ?? '').replace(/[^!-~]/g, '').toLowerCase())
}

const words = [
  'X-MS-Exchange-Organization-',
  'x-ms-exchange-forest-',
  'X-Portico-',
  'SCL',
  'Authentication-Results',
  'Received',
  'RESENT-',
  'Subject',
]
const marks = [':', ': ', '\r\n', '\r\n ', '\r\n\t', ' ', '\t', '.', 'mail.example;', '(', ')', '"']
const strange = ['\x01', '\x7f', '\xff', '\xa0', '\\']
const fragment = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...words, ...marks) },
  { weight: 1, arbitrary: fc.constantFrom(...strange) },
)
const lines = fc.array(fragment, { maxLength: 40 }).map((parts) =>
  parts
    .join('')
    .replace(/(?:\r\n)+/g, '\r\n')
    .replace(/^\r\n|\r\n$/g, ''),
)

test.each<LineForm>(['plain', 'data'])(
  'no lenient reader finds a forbidden field, and all else is untouched (%s)',
  (form) => {
    fc.assert(
      fc.property(lines, (text) => {
        const section = text === '' ? '\r\n' : `${text}\r\n\r\n`
        const left = filtered(section, EVERYTHING, form)
        for (const name of lenientNames(left, form))
          expect(name).not.toMatch(/^(?:x-(?:ms-exchange-(?:organization|forest)-|portico-)|resent-|received$)/)
        const removed = headerFirewall(EVERYTHING)
        const kept = parseHeader(Buffer.from(section, 'latin1'), form).list.filter((field) => !removed(field))
        expect(left).toBe(`${kept.map((field) => section.slice(field.start, field.end)).join('')}\r\n`)
        if (!lenientNames(section, form).some((name) => /^(?:x-|resent-|received$|authentication-results$)/.test(name)))
          expect(left).toBe(section)
      }),
      { numRuns: 1_500 },
    )
  },
)
