// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editHeader, parseHeader } from '../../src/message/header-fields.js'
import { claimsCall, disbelieved } from '../../src/telephony/claims.js'

/** A header section without the claims of strangers. */
function cleaned(section: string): string {
  const octets = Buffer.from(section, 'latin1')
  const fields = parseHeader(octets, 'plain')
  const edits = disbelieved(fields)
  return edits === undefined ? section : Buffer.concat(editHeader(octets, fields, [edits], 'plain')).toString('latin1')
}

describe('claims of strangers to tell of a call', () => {
  test.each([
    ['Content-Class: voice-ca', 'X-Untrusted-Content-Class: voice-ca'],
    ['CONTENT-class\t:\r\n (x) "Fax"', 'X-Untrusted-CONTENT-class: (x) "Fax"'],
    ['Content-Class: missedcall', 'X-Untrusted-Content-Class: missedcall'],
    ['X-CallingTelephoneNumber: 5551234', 'X-Untrusted-X-CallingTelephoneNumber: 5551234'],
    ['x-voicemessageduration:\r\n\t17', 'X-Untrusted-x-voicemessageduration: 17'],
    ['X-Voice-Anything: y', 'X-Untrusted-X-Voice-Anything: y'],
    ['X-FaxNumberOfPages: 2', 'X-Untrusted-X-FaxNumberOfPages: 2'],
    ['X-CallID: 1', 'X-Untrusted-X-CallID: 1'],
    ['X-Voice MessageDuration: 17', 'X-Untrusted-X-VoiceMessageDuration: 17'],
    ['X-F\x01axNumberOfPages: 2', 'X-Untrusted-X-FaxNumberOfPages: 2'],
    ['X-VoiceMessageSenderName: J\xfcrgen', 'X-Untrusted-X-VoiceMessageSenderName: J?rgen'],
  ])('%j is renamed', (field, expected) =>
    expect(cleaned(`Subject: x\r\n${field}\r\n\r\n`)).toBe(`${expected}\r\nSubject: x\r\n\r\n`),
  )

  test.each([
    ['Content-Class: urn:content-classes:message'],
    ['Message-Context: voice-message'],
    ['MIME-Version: 1.0 (Voice 2.0)'],
    ['Subject: Content-Class: voice'],
    ['X-Untrusted-Content-Class: voice'],
    ['Voice: x'],
    ['X-Fa: x'],
  ])('%j stays', (field) => expect(cleaned(`${field}\r\n\r\n`)).toBe(`${field}\r\n\r\n`))

  test('of very many and very long ones some are kept, and none stays', () => {
    const many = cleaned(`${`X-Fax-A: ${'y'.repeat(5_000)}\r\n`.repeat(200)}\r\n`)
    expect(many.match(/^X-Untrusted-X-Fax-A: y{800}\r$/gm)).toHaveLength(20)
    expect(many).not.toMatch(/^X-Fax/m)
  })

  test('no claim is left whatever the section is, and what is cleaned once is clean', () => {
    const piece = fc.constantFrom(
      ...['Content-Class', 'content-class', 'X-Fax', 'X-Voice', 'X-CallID', ':', ' :', ': ', '\r\n', '\r\n ', '\r\n\t'],
      ...['voice', 'fax', ' ', '(', ')', '"', '\xe4', '\x01', 'Subject'],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const section = `Subject: x\r\n${pieces.join('').replace(/(?:\r\n){2,}/g, '\r\n')}\r\n\r\n`
        const once = cleaned(section)
        expect(parseHeader(Buffer.from(once, 'latin1'), 'plain').list.filter(claimsCall)).toEqual([])
        expect(cleaned(once)).toBe(once)
      }),
    )
  })
})
