// SPDX-License-Identifier: MIT

/** Where a record of a zip archive says what a file is called (APPNOTE.TXT 6.3.10, sections 4.3.7 and 4.3.12). */
interface RecordShape {
  /** Octets before the name. */
  readonly head: number
  readonly flags: number
  readonly nameLength: number
}

/** By what follows `PK` in their signatures. */
const RECORDS = new Map<number, RecordShape>([
  [0x0403, { head: 30, flags: 6, nameLength: 26 }],
  [0x0201, { head: 46, flags: 8, nameLength: 28 }],
])
const PK = Buffer.from('PK')
const ENCRYPTED = 0x1
const UTF8 = 0x800
/** Longest name that is read. */
const LONGEST_NAME = 1_024
const MOST_HELD = 46 + LONGEST_NAME

/**
 * Reads the names of files in a zip archive while it passes by, from the headers of its files and its directory alike: programs that
 * unpack believe the one or the other. Holds the octets of one header at most, and unpacks nothing.
 */
export class ZipNames {
  readonly names = new Set<string>()
  encrypted = false
  readonly #most: number
  #held: Buffer = Buffer.alloc(0)

  /** `most`: names that are kept. */
  constructor(most: number) {
    this.#most = most
  }

  take(piece: Buffer): void {
    const octets = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece])
    let at = octets.indexOf(PK)
    while (at !== -1 && octets.length - at >= MOST_HELD) {
      this.#readAt(octets, at)
      at = octets.indexOf(PK, at + 1)
    }
    // What follows the last sign may go on in the next piece, and so may the sign itself.
    this.#held = Buffer.from(octets.subarray(at === -1 ? octets.length - (octets.at(-1) === PK[0] ? 1 : 0) : at))
  }

  end(): void {
    const octets = this.#held
    for (let at = octets.indexOf(PK); at !== -1; at = octets.indexOf(PK, at + 1)) this.#readAt(octets, at)
    this.#held = Buffer.alloc(0)
  }

  #readAt(octets: Buffer, at: number): void {
    const shape = RECORDS.get((octets[at + 2] ?? 0) | ((octets[at + 3] ?? 0) << 8))
    if (shape === undefined || octets.length - at < shape.head) return
    const flags = octets.readUInt16LE(at + shape.flags)
    const start = at + shape.head
    const end = start + octets.readUInt16LE(at + shape.nameLength)
    if (end === start || end - start > LONGEST_NAME || end > octets.length) return
    if ((flags & ENCRYPTED) !== 0) this.encrypted = true
    const name = octets.toString((flags & UTF8) === 0 ? 'latin1' : 'utf8', start, end)
    if (this.names.size < this.#most) this.names.add(name)
  }
}
