// SPDX-License-Identifier: MIT

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * Writes octets as crypt(3) does: six bits a character, low bits first; `order` names the octets of each group, high to low.
 *
 * @param {Uint8Array} digest
 * @param {readonly (readonly number[])[]} order
 * @returns {string}
 */
export function cryptText(digest, order) {
  return order.map((group) => groupText(group.map((index) => digest[index] ?? 0))).join('')
}

/**
 * @param {readonly number[]} octets
 * @returns {string}
 */
function groupText(octets) {
  const value = octets.reduce((sum, octet) => (sum << 8) | octet, 0)
  let text = ''
  for (let i = 0; i <= octets.length; i++) text += ALPHABET[(value >> (6 * i)) & 63]
  return text
}
