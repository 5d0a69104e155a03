// SPDX-License-Identifier: MIT
export { deflateSync } from 'node:zlib'

/** The checksum of PNG chunks (node:zlib has it only from Node 22 on). */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
