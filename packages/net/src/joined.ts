// SPDX-License-Identifier: MIT
import type { Octets } from './leg.js'

/** Beyond, a copy costs more than its memory does. */
const SIZE = 16_384

/** Where pieces are put together. Most writes are done at once, and leave it free for the next one. */
let desk: Buffer | undefined

/**
 * Pieces as one, for one write that begins before the next call: text where all of them are; it has one octet per character. A
 * single piece is what it was. See {@link keepJoined}.
 */
export function joined(pieces: readonly (Octets | string)[]): Octets | string {
  const [first = ''] = pieces
  if (pieces.length === 1) return first
  if (pieces.every((piece) => typeof piece === 'string')) return pieces.join('')
  let length = 0
  for (const piece of pieces) length += piece.length
  const memory = memoryFor(length)
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') memory.write(piece, at, 'latin1')
    else memory.set(piece, at)
    at += piece.length
  }
  return memory.subarray(0, length)
}

function memoryFor(length: number): Buffer {
  if (length > SIZE) return Buffer.allocUnsafe(length)
  desk ??= Buffer.allocUnsafeSlow(SIZE)
  return desk
}

/** The write of these octets goes on: the next ones are put together elsewhere. */
export function keepJoined(bytes: Octets): void {
  if (bytes.buffer === desk?.buffer) desk = undefined
}
