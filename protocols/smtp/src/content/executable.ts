// SPDX-License-Identifier: MIT

/** Octets of a file that tell whether it is a program. */
export const TELLING_OCTETS = 64

/** What programs begin with, a character for each octet. */
const SIGNATURES: readonly string[] = [
  'MZ', // DOS and Windows: .exe, .dll, .scr, .com of today
  '\x7fELF',
  '\xfe\xed\xfa\xce', // Mach-O, both widths and octet orders
  '\xfe\xed\xfa\xcf',
  '\xce\xfa\xed\xfe',
  '\xcf\xfa\xed\xfe',
  '\xca\xfe\xba\xbe', // Mach-O for several processors, and Java classes
  '#!', // scripts
  'L\0\0\0\x01\x14\x02\0', // Windows shortcuts, which name a program
]

/** The first octets of a file are those of a program. */
export function isExecutable(start: Uint8Array): boolean {
  const text = Buffer.from(start.subarray(0, TELLING_OCTETS)).toString('latin1')
  return SIGNATURES.some((signature) => text.startsWith(signature))
}
