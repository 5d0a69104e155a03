// SPDX-License-Identifier: MIT
import { derElement, derHex, derOf } from '@portico/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

/** DER (X.690 sections 8.1 and 10.1). */
describe('DER', () => {
  test.each([
    ['nothing', 0, '0400'],
    ['the longest short length', 127, '047f'],
    ['one octet of length', 128, '048180'],
    ['two', 256, '04820100'],
    ['three', 65_536, '0483010000'],
  ])('%s', (_, length, head) => {
    const element = derOf(0x04, Buffer.alloc(length))
    expect(element.subarray(0, head.length / 2).toString('hex')).toBe(head)
    expect(derElement(element, 0)).toEqual({ start: head.length / 2, end: element.length })
  })

  test('what was written is read, also within another and behind others', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (one, other) => {
        const der = derOf(0x30, derOf(0x04, one), derOf(0x04, other))
        const first = derElement(der, derElement(der, 0).start)
        const second = derElement(der, first.end)
        expect([derHex(der, first), derHex(der, second)]).toEqual(
          [one, other].map((it) => Buffer.from(it).toString('hex')),
        )
      }),
    )
  })

  test.each([
    ['no element', ''],
    ['no length', '04'],
    ['less than it says', '0402ff'],
    ['half a length', '048201'],
    ['the indefinite form', '04800000'],
    ['a length of four octets', '048400000001ff'],
  ])('%s is none', (_, hex) => expect(() => derElement(Buffer.from(hex, 'hex'), 0)).toThrow(RangeError))
})
