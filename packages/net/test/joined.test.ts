// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { joined, keepJoined } from '../src/joined.js'

const octets = (pieces: readonly (Buffer | string)[]): Buffer => joined(pieces) as Buffer

test.each([100, 5_000, 20_000])('text and %i octets become one piece, in their order', (length) => {
  const piece = octets(['a\xff', Buffer.alloc(length, 'b'), 'c'])
  expect(piece.toString('latin1')).toBe(`a\xff${'b'.repeat(length)}c`)
})

test('a write that goes on is not changed by the next one; one that is done leaves its memory to it', () => {
  const pieces = (octet: string) => [octet, Buffer.alloc(5_000, octet)]
  const first = octets(pieces('a'))
  const second = octets(pieces('b'))
  expect(second.buffer).toBe(first.buffer)
  keepJoined(second)
  octets(pieces('c'))
  expect(second.every((octet) => octet === 98)).toBe(true)
})
