// SPDX-License-Identifier: MIT
import fc from 'fast-check'

/** Octets that matter to lines, and some that do not. */
export const lineOctets = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom('\r\n', '\r', '\n', '.', '..', '\0', '\t', '\x0b', '\x7f', '\xff', '\r\n.\r\n'),
      },
      { weight: 2, arbitrary: fc.constantFrom('a', ' ', 'Received:', '\r\n', 'x'.repeat(30), '\xe9'.repeat(70)) },
      { weight: 1, arbitrary: fc.nat(255).map((octet) => String.fromCharCode(octet)) },
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''))

/** Lines of a message, with a fault now and then. */
export const messageOctets = fc.oneof(
  lineOctets,
  fc.array(fc.stringMatching(/^[.a-z\t \x80-\xff]{0,90}$/)).map((lines) => lines.map((line) => `${line}\r\n`).join('')),
)

export const cutPlaces = fc.array(fc.nat(400), { maxLength: 12 })

/** The octets cut at these places, each piece at another alignment in memory, and at its very end. */
export function cut(text: string, places: readonly number[]): Buffer[] {
  const octets = Buffer.from(text, 'latin1')
  const sorted = [...new Set(places.map((place) => place % (octets.length + 1)))].sort((a, b) => a - b)
  return [...sorted, octets.length].map((to, index) => misplaced(octets.subarray(sorted[index - 1] ?? 0, to), index))
}

function misplaced(octets: Buffer, by: number): Buffer {
  const room = Buffer.alloc(octets.length + (by % 8))
  octets.copy(room, by % 8)
  return room.subarray(by % 8)
}
