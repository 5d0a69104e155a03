// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePath } from '../../src/address.js'
import { formatPhoneAddress, parsePhoneAddress, serviceNamedBy } from '../../src/telephony/phone-address.js'

/** The shortest form of what a path means, as RCPT has it; undefined where it is no telephone. */
function meaning(path: string): string | undefined {
  const parsed = parsePath(`<${path}>`)
  if (parsed.kind !== 'mailbox') return undefined
  const address = parsePhoneAddress(parsed.mailbox.local)
  return address && formatPhoneAddress(address)
}

describe('telephones in local parts (RFC 3191, RFC 3192)', () => {
  test.each([
    [
      'a fax with its sub-address (RFC 3192 section 2)',
      'FAX=+12027653000/T33S=1387@faxworld.org',
      'FAX=+12027653000/T33S=1387',
    ],
    ['between slashes, with hyphens', '/FAX=+33-1-88335215/@faxworld.org', 'FAX=+33188335215'],
    ['a voice mailbox (RFC 3191 section 3)', 'VOICE=+3940226338@worldvoice.com', 'VOICE=+3940226338'],
    ['a short message', 'SMS=+491701234567@sms.example', 'SMS=+491701234567'],
    ['in lower case', 'fax=+12027653000@faxworld.org', 'FAX=+12027653000'],
    ['with dots', 'Fax=+39.40.226338@faxworld.org', 'FAX=+3940226338'],
    ['quoted', '"FAX=+12027653000/T33S=1387"@faxworld.org', 'FAX=+12027653000/T33S=1387'],
    ['quoted for no reason', '"F\\AX=+1202765\\3000"@faxworld.org', 'FAX=+12027653000'],
    ['between slashes, with a sub-address', '/FAX=+12027653000/T33S=1387/@faxworld.org', 'FAX=+12027653000/T33S=1387'],
    ['with a slash in front only', '/FAX=+12027653000@faxworld.org', 'FAX=+12027653000'],
    ['a national number', 'FAX=030-1234567@faxworld.org', 'FAX=0301234567'],
    ['a qualifier of another kind', 'FAX=+12027653000/isub=42@faxworld.org', 'FAX=+12027653000/ISUB=42'],
    ['a service of which nobody has heard', 'pager-x=+12027653000@example.org', 'PAGER-X=+12027653000'],
    ['a bare local part', 'FAX=+12027653000', 'FAX=+12027653000'],
  ])('%s: %s', (_, path, expected) => expect(meaning(path)).toBe(expected))

  test.each([
    ['a person', 'alice@example.org'],
    ['no number', 'FAX=@faxworld.org'],
    ['a plus sign alone', 'FAX=+@faxworld.org'],
    ['letters', 'FAX=+1202CALLNOW@faxworld.org'],
    ['two plus signs', 'FAX=++12027653000@faxworld.org'],
    ['a plus sign within', 'FAX=1+2027653000@faxworld.org'],
    ['a separator in front', 'FAX=-12027653000@faxworld.org'],
    ['a pause to be dialled', 'FAX=+12027653000w1234@faxworld.org'],
    ['a control code', 'FAX=*31#12027653000@faxworld.org'],
    ['white space', '"FAX=+1 202 765 3000"@faxworld.org'],
    ['white space in front', '" FAX=+12027653000"@faxworld.org'],
    ['a longer number than there is', `FAX=+${'1'.repeat(21)}@faxworld.org`],
    ['a slash at the end alone', 'FAX=+12027653000/@faxworld.org'],
    ['two slashes', '//FAX=+12027653000/@faxworld.org'],
    ['an empty qualifier', 'FAX=+12027653000//T33S=1@faxworld.org'],
    ['a qualifier without a value', 'FAX=+12027653000/T33S=@faxworld.org'],
    ['a qualifier without a name', 'FAX=+12027653000/=1@faxworld.org'],
    ['the same qualifier twice', 'FAX=+12027653000/T33S=1/t33s=2@faxworld.org'],
    ['a number behind the number', 'FAX=+12027653000/+19005551234@faxworld.org'],
    ['a qualifier with a semicolon', '"FAX=+12027653000/T33S=1;reboot"@faxworld.org'],
    ['a qualifier with white space', '"FAX=+12027653000/T33S=1 2"@faxworld.org'],
    ['five qualifiers', 'FAX=+12027653000/A=1/B=1/C=1/D=1/E=1@faxworld.org'],
    ['digits of another script', 'FAX=+\xd9\xa1\xd9\xa22027653000@faxworld.org'],
    ['a service that begins with a digit', '4AX=+12027653000@faxworld.org'],
    ['two services', 'FAX=VOICE=+12027653000@faxworld.org'],
    ['another address within', '"FAX=+12027653000@other.example"@faxworld.org'],
  ])('no telephone: %s', (_, path) => expect(meaning(path)).toBeUndefined())

  test.each([
    ['a telephone', 'FAX=+12027653000', 'FAX'],
    ['lower case between slashes', '/fax=+1', 'FAX'],
    ['blanks around it', ' \t fax \t =+1', 'FAX'],
    ['more slashes', '//fax=1', 'FAX'],
    ['controls', '\x01fax\x7f=1', 'FAX'],
    ['quotes', '"fax"=1', 'FAX'],
    ['a person', 'alice', undefined],
    ['an equals sign of somebody else', 'alice=home', 'ALICE'],
    ['an equals sign alone', '=1', undefined],
  ])('what a lenient gateway could take for a service: %s', (_, local, expected) =>
    expect(serviceNamedBy(local)).toBe(expected),
  )

  test('the shortest form means the same, and needs no quotes', () => {
    const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,7}$/)
    const value = fc.stringMatching(/^[A-Za-z0-9+*#_]{1,8}$/)
    const number = fc.stringMatching(/^\+?\d(?:[-.]?\d){0,9}$/)
    fc.assert(
      fc.property(
        name,
        number,
        fc.uniqueArray(fc.tuple(name, value), { maxLength: 3, selector: ([one]) => one.toUpperCase() }),
        (service, digits, rest) => {
          const written = [`${service}=${digits}`, ...rest.map(([key, text]) => `${key}=${text}`)].join('/')
          const address = parsePhoneAddress(written)
          const short = address && formatPhoneAddress(address)
          expect(short).toBeDefined()
          expect(parsePhoneAddress(short ?? '')).toEqual(address)
          expect(parsePhoneAddress(`/${written}/`)).toEqual(address)
          expect(meaning(`${short}@faxworld.org`)).toBe(short)
          expect(serviceNamedBy(written)).toBe(address?.service)
        },
      ),
    )
  })

  test('what is read is named, whatever it is', () => {
    const piece = fc.constantFrom('FAX', '=', '/', '+', '1', '23', '-', '.', ' ', 'T33S', '\x00', '"', ';', 'fax')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const local = pieces.join('')
        const address = parsePhoneAddress(local)
        if (address === undefined) return
        expect(serviceNamedBy(local)).toBe(address.service)
        expect(address.number).toMatch(/^\+?\d{1,20}$/)
      }),
    )
  })
})
