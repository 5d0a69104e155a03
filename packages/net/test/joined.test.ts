// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { joined, keepJoined, steady } from '../src/joined.js'
import { ReadMemory } from '../src/read-memory.js'

const octets = (pieces: readonly (Buffer | string)[]): Buffer => joined(pieces) as Buffer

test.each([100, 5_000, 20_000])('text and %i octets become one piece, in their order', (length) => {
  const piece = octets(['a\xff', Buffer.alloc(length, 'b'), 'c'])
  expect(piece.toString('latin1')).toBe(`a\xff${'b'.repeat(length)}c`)
})

test('what others read into is copied, elsewhere while a write of it goes on', () => {
  const shown = (text: string) => {
    const memory = new ReadMemory().next
    return memory.subarray(0, memory.write(text))
  }
  const first = steady(shown('first'))
  keepJoined(first)
  expect(steady(shown('others'))).toEqual(Buffer.from('others'))
  expect(first).toEqual(Buffer.from('first'))
})

test.each([
  [100, 4_096],
  [5_000, 16_384],
  [70_000, 81_920],
])('a write of %i octets that goes on keeps %i of ours', (length, kept) => {
  const piece = octets(['a', Buffer.alloc(length)])
  expect(piece.buffer.byteLength).toBe(kept)
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
