// SPDX-License-Identifier: MIT
import fc from 'fast-check'

/** Octets made of a target's words, of its examples with damage done to them, and of anything. */
export function inputsFor(target, corpus) {
  const words = fc.constantFrom(...target.words.map((word) => Buffer.from(word, 'latin1')))
  const noise = fc.uint8Array({ maxLength: 12 }).map((octets) => Buffer.from(octets))
  const many = fc.tuple(words, fc.nat(300)).map(([word, times]) => Buffer.concat(Array(times).fill(word)))
  const flood = fc
    .tuple(fc.oneof(words, noise), fc.constantFrom(1_000, 9_000, 20_000))
    .map(([word, length]) => (word.length === 0 ? word : Buffer.alloc(length, word)))
  const made = fc
    .array(
      fc.oneof({ arbitrary: words, weight: 12 }, { arbitrary: noise, weight: 3 }, { arbitrary: many, weight: 1 }),
      {
        maxLength: 40,
      },
    )
    .map((parts) => Buffer.concat(parts))
  const examples = [...target.examples.map((text) => Buffer.from(text, 'latin1')), ...corpus]
  const damaged = fc.tuple(fc.constantFrom(...examples), fc.array(damage(words, noise), { maxLength: 6 }))
  return fc.oneof(
    { arbitrary: made, weight: 6 },
    {
      arbitrary: damaged.map(([example, wounds]) => wounds.reduce((octets, wound) => wound(octets), example)),
      weight: 6,
    },
    { arbitrary: fc.tuple(made, flood, made).map((parts) => Buffer.concat(parts)), weight: 1 },
  )
}

/** One way to spoil octets: take some out, put some in, repeat some, turn a bit. */
function damage(words, noise) {
  const place = fc.double({ min: 0, max: 1, noNaN: true })
  return fc.oneof(
    fc.tuple(place, fc.nat(20)).map(
      ([at, count]) =>
        (octets) =>
          splice(octets, at, count, []),
    ),
    fc.tuple(place, fc.oneof(words, noise)).map(
      ([at, put]) =>
        (octets) =>
          splice(octets, at, 0, [put]),
    ),
    fc.tuple(place, fc.nat(40), fc.nat(5)).map(([at, count, times]) => (octets) => {
      const begin = Math.floor(at * octets.length)
      return splice(octets, at, 0, Array(times).fill(octets.subarray(begin, begin + count)))
    }),
    fc.tuple(place, fc.nat(7)).map(([at, bit]) => (octets) => {
      const turned = Buffer.from(octets)
      const index = Math.min(octets.length - 1, Math.floor(at * octets.length))
      if (index >= 0) turned[index] ^= 1 << bit
      return turned
    }),
  )
}

function splice(octets, at, count, put) {
  const begin = Math.floor(at * octets.length)
  return Buffer.concat([octets.subarray(0, begin), ...put, octets.subarray(begin + count)])
}
