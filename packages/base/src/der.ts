// SPDX-License-Identifier: MIT

/** Where the content of an element of DER lies (X.690 section 8.1); its last octet stands before `end`. */
export interface DerElement {
  readonly start: number
  readonly end: number
}

/** The element of DER at an offset. Throws a RangeError where there is none, or only part of one. */
export function derElement(der: Uint8Array, at: number): DerElement {
  const first = octet(der, at + 1)
  if (first < 0x80) return within(der, at + 2, first)
  const count = first & 0x7f
  if (count === 0 || count > 3) throw new RangeError('DER length')
  let length = 0
  for (let i = 0; i < count; i += 1) length = length * 256 + octet(der, at + 2 + i)
  return within(der, at + 2 + count, length)
}

/** An element's content in hex. */
export function derHex(der: Uint8Array, { start, end }: DerElement): string {
  return Buffer.from(der.subarray(start, end)).toString('hex')
}

function within(der: Uint8Array, start: number, length: number): DerElement {
  if (start + length > der.length) throw new RangeError('DER end')
  return { start, end: start + length }
}

function octet(der: Uint8Array, at: number): number {
  const value = der[at]
  if (value === undefined) throw new RangeError('DER end')
  return value
}

/** An element of DER with this tag around these contents. */
export function derOf(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Uint8Array.of(tag, ...lengthOf(content.length)), content])
}

/** Short up to 127 octets, else in as few octets as hold it (X.690 section 10.1). */
function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return [0x80 | octets.length, ...octets]
}
