// SPDX-License-Identifier: MIT
import type { Octets } from './leg.js'
import { isShared } from './read-memory.js'

/**
 * Octets of the desks. One whose write goes on is kept by it, so that a peer who stalls over a short answer keeps a small one; the
 * largest holds a bulk read and a head.
 */
const SIZES = [4_096, 16_384, 81_920] as const

/** Where pieces are put together, by size. Most writes are done at once, and leave a desk free for the next one. */
const desks: (Buffer | undefined)[] = []

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
  for (const [index, size] of SIZES.entries()) {
    if (length > size) continue
    const desk = desks[index] ?? Buffer.allocUnsafeSlow(size)
    desks[index] = desk
    return desk
  }
  return Buffer.allocUnsafe(length)
}

/** Octets as a write may have them that begins before the next call: a copy of what other sockets may read into. */
export function steady(bytes: Octets): Octets {
  if (!isShared(bytes)) return bytes
  const memory = memoryFor(bytes.length)
  memory.set(bytes)
  return memory.subarray(0, bytes.length)
}

/** The write of these octets goes on: the next ones are put together elsewhere. */
export function keepJoined(bytes: Octets): void {
  const index = desks.findIndex((desk) => desk?.buffer === bytes.buffer)
  if (index >= 0) desks[index] = undefined
}
