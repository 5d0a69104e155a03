// SPDX-License-Identifier: MIT

/**
 * MD5 (RFC 1321) that can start from a stored state, which no library offers and which CRAM-MD5 needs (RFC 2195 section 2: the
 * contexts of HMAC may be kept instead of the password). For nothing else: MD5 is broken as a digest.
 */

/** The four words of the chaining variable. */
export type Md5State = readonly [number, number, number, number]

const BLOCK = 64
const INITIAL: Md5State = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const
const SINES = Array.from({ length: BLOCK }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32))

/** The state after one whole block of 64 octets. */
export function md5Block(block: Uint8Array, state: Md5State = INITIAL): Md5State {
  const view = new DataView(block.buffer, block.byteOffset, BLOCK)
  let [a, b, c, d] = state
  for (let i = 0; i < BLOCK; i++) {
    const round = i >> 4
    const mixed = (a + mix(round, b, c, d) + (SINES[i] ?? 0) + view.getUint32(4 * wordOf(round, i), true)) | 0
    const shift = SHIFTS[round]?.[i % 4] ?? 0
    const turned = (b + ((mixed << shift) | (mixed >>> (32 - shift)))) | 0
    ;[a, d, c, b] = [d, c, b, turned]
  }
  return [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0]
}

/** The digest of a message of which `before` octets, whole blocks, are already in `state`. */
export function md5Finish(rest: Uint8Array, state: Md5State, before: number): Buffer {
  const blocks = Math.ceil((rest.length + 9) / BLOCK)
  const padded = Buffer.alloc(blocks * BLOCK)
  padded.set(rest)
  padded[rest.length] = 0x80
  padded.writeBigUInt64LE(BigInt(before + rest.length) * 8n, padded.length - 8)
  let now = state
  for (let at = 0; at < padded.length; at += BLOCK) now = md5Block(padded.subarray(at, at + BLOCK), now)
  return stateOctets(now)
}

export function stateOctets(state: Md5State): Buffer {
  const octets = Buffer.alloc(16)
  for (const [index, word] of state.entries()) octets.writeInt32LE(word, 4 * index)
  return octets
}

function mix(round: number, b: number, c: number, d: number): number {
  if (round === 0) return (b & c) | (~b & d)
  if (round === 1) return (d & b) | (~d & c)
  return round === 2 ? b ^ c ^ d : c ^ (b | ~d)
}

function wordOf(round: number, i: number): number {
  if (round === 0) return i
  if (round === 1) return (5 * i + 1) % 16
  return (round === 2 ? 3 * i + 5 : 7 * i) % 16
}
