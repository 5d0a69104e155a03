// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { internationalNumber } from '../../src/telephony/number-plan.js'
import { PrefixRules } from '../../src/telephony/prefix-rules.js'
import { PREMIUM_PREFIXES } from '../../src/telephony/premium-prefixes.js'

const GERMANY = { countryCode: '49', nationalPrefix: '0', internationalPrefix: '00' }
const AMERICA = { countryCode: '1', nationalPrefix: '1', internationalPrefix: '011' }
const DENMARK = { countryCode: '45', nationalPrefix: '', internationalPrefix: '00' }
const NOWHERE = { ...GERMANY, countryCode: undefined }

describe('numbers with their country code (E.164)', () => {
  test.each([
    ['with a plus sign', '+12027653000', GERMANY, '+12027653000'],
    ['with a plus sign, nowhere', '+12027653000', NOWHERE, '+12027653000'],
    ['national', '0301234567', GERMANY, '+49301234567'],
    ['international, dialled', '0012027653000', GERMANY, '+12027653000'],
    ['national in America', '12027653000', AMERICA, '+12027653000'],
    ['international from America', '01149301234567', AMERICA, '+49301234567'],
    ['national without anything in front', '33123456', DENMARK, '+4533123456'],
    ['15 digits', '+123456789012345', GERMANY, '+123456789012345'],
    ['7 digits', '+6834000', GERMANY, '+6834000'],
    ['16 digits', '+1234567890123456', GERMANY, undefined],
    ['6 digits', '+683400', GERMANY, undefined],
    ['a country code that begins with 0', '+0301234567', GERMANY, undefined],
    ['local', '1234567', GERMANY, undefined],
    ['an emergency', '112', GERMANY, undefined],
    ['an emergency behind the country code', '+49112', GERMANY, undefined],
    ['national, nowhere', '0301234567', NOWHERE, undefined],
    ['two zeros and nothing that is a country', '000301234567', GERMANY, undefined],
  ])('%s: %s', (_, number, plan, expected) => expect(internationalNumber(number, plan)).toBe(expected))
})

describe('which numbers may be called', () => {
  const rules = new PrefixRules({
    allow: ['+49', '+41', '+441', '+49900123', '+1202'],
    deny: ['+4930666', '+41900555', '+1202'],
  })

  test.each([
    ['in an allowed country', '+493012345', true],
    ['in another country', '+33188335215', false],
    ['denied within an allowed country', '+49306661234', false],
    ['one digit beside what is denied', '+49306671234', true],
    ['known to cost much', '+499001999999', false],
    ['known to cost much, behind a trunk prefix', '+490900199999', false],
    ['known to cost much, and allowed all the same', '+49900123999', true],
    ['known to cost much in another allowed country', '+41900123456', false],
    ['a part of a country', '+441414960000', true],
    ['another part', '+447700900123', false],
    ['both allowed and denied', '+12027653000', false],
    ['a satellite', '+881612345678', false],
  ])('%s: %s', (_, number, expected) => expect(rules.allows(number)).toBe(expected))

  test('nothing is allowed where nobody has allowed anything', () => {
    const none = new PrefixRules({ allow: [], deny: [] })
    fc.assert(
      fc.property(fc.stringMatching(/^\+[1-9]\d{6,14}$/), (number) => {
        expect(none.allows(number)).toBe(false)
      }),
    )
  })

  test('the longest prefix decides, however many there are', () => {
    const prefix = fc.stringMatching(/^\+[1-9]\d{0,5}$/)
    const lists = fc.record({ allow: fc.array(prefix), deny: fc.array(prefix) })
    fc.assert(
      fc.property(lists, fc.stringMatching(/^\+[1-9]\d{6,14}$/), (written, number) => {
        const longest = (prefixes: readonly string[]) =>
          Math.max(0, ...prefixes.filter((one) => number.startsWith(one)).map((one) => one.length))
        const allow = longest(written.allow)
        const expected = allow > 0 && allow > longest(written.deny) && allow >= longest(PREMIUM_PREFIXES)
        expect(new PrefixRules(written).allows(number)).toBe(expected)
      }),
    )
  })

  test('prefixes that are known to cost much look like prefixes, each once', () => {
    for (const one of PREMIUM_PREFIXES) expect(one).toMatch(/^\+[1-9]\d{1,6}$/)
    expect(new Set(PREMIUM_PREFIXES).size).toBe(PREMIUM_PREFIXES.length)
  })
})
