// SPDX-License-Identifier: MIT
import { randomInt } from 'node:crypto'

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
const COUNTER = 32 ** 3

/**
 * Makes session ids: 15 characters that sort by time. Nine tell the millisecond, three count within the process, three were drawn
 * when it started, so that two workers never give the same one.
 */
export function createIds(wallNow: () => number): () => string {
  const worker = encode(randomInt(COUNTER), 3)
  let count = 0
  return () => {
    count = (count + 1) % COUNTER
    return `${encode(wallNow(), 9)}${encode(count, 3)}${worker}`
  }
}

function encode(value: number, width: number): string {
  let text = ''
  let rest = Math.floor(value)
  for (let i = 0; i < width; i += 1) {
    text = DIGITS.charAt(rest % 32) + text
    rest = Math.floor(rest / 32)
  }
  return text
}
