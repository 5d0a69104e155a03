// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'

const MAX_KEY = 512
const MAX_VALUE = 65_536

/** A key as stores keep it: over-long ones, which clients can cause, become a digest. */
export function boundKey(key: string): string {
  if (key.length <= MAX_KEY / 3 || Buffer.byteLength(key) <= MAX_KEY) return key
  return `sha256:${createHash('sha256').update(key).digest('base64')}`
}

/** Throws `RangeError` for a value over 64 KiB: only a bug makes one. */
export function checkValue(value: Uint8Array): void {
  if (value.length > MAX_VALUE)
    throw new RangeError(`a stored value has ${value.length} octets, more than ${MAX_VALUE}`)
}

/** Whether two values, either of which may be absent, are the same. */
export function sameValue(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return Buffer.compare(a, b) === 0
}
