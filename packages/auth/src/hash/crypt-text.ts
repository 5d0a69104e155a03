// SPDX-License-Identifier: MIT

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Writes octets as crypt(3) does: six bits a character, low bits first; `order` names the octets of each group, high to low. */
export function cryptText(digest: Uint8Array, order: readonly (readonly number[])[]): string {
  return order.map((group) => groupText(group.map((index) => digest[index] ?? 0))).join('')
}

function groupText(octets: readonly number[]): string {
  const value = octets.reduce((sum, octet) => (sum << 8) | octet, 0)
  let text = ''
  for (let i = 0; i <= octets.length; i++) text += ALPHABET[(value >> (6 * i)) & 63]
  return text
}

let last: Promise<unknown> = Promise.resolve()

/** One computation at a time, because every pending one would otherwise take its share of the same turn of the event loop. */
export function inTurn<T>(compute: () => Promise<T>): Promise<T> {
  const mine = last.then(compute)
  last = mine.catch(() => undefined)
  return mine
}
