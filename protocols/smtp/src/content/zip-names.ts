// SPDX-License-Identifier: MIT
import { baseName, extensionOf } from './file-name.js'

/** Where a record of a zip archive says what a file is called (APPNOTE.TXT 6.3.10, sections 4.3.7 and 4.3.12). */
interface RecordShape {
  /** Octets before the name. */
  readonly head: number
  readonly flags: number
  readonly nameLength: number
  /** Of the additional data behind the name. */
  readonly extraLength: number
}

/** By what follows `PK` in their signatures. */
const RECORDS = new Map<number, RecordShape>([
  [0x0403, { head: 30, flags: 6, nameLength: 26, extraLength: 28 }],
  [0x0201, { head: 46, flags: 8, nameLength: 28, extraLength: 30 }],
])
const PK = Buffer.from('PK')
const ENCRYPTED = 0x1
const UTF8 = 0x800
/** Longest name that is read, and the longest additional data. */
const [LONGEST_NAME, LONGEST_EXTRA] = [1_024, 4_096]
/** Octets of the longer kind of header, without name. */
const WHOLE_HEAD = 46
/** Additional data with a name that programs use instead (Info-ZIP Unicode Path, APPNOTE.TXT section 4.6.9). */
const UNICODE_PATH = 0x7075
/** What a program may need to unpack, and the ways of packing: what is neither only looks like a header. */
const MOST_VERSION = 63
const MOST_METHOD = 99
/** Octets of an extension that is looked at where names are too many. */
const LONGEST_EXTENSION = 16

/**
 * Reads the names of files in a zip archive while it passes by, from the headers of its files and its directory alike: programs that
 * unpack believe the one or the other. Holds the octets of one header at most, and unpacks nothing.
 */
export class ZipNames {
  readonly names = new Set<string>()
  encrypted = false
  /** There is a name that is too long to be read, one too many that has an extension unlike all others, or headers lie in headers. */
  lacking = false
  readonly #most: number
  readonly #extensions = new Set<string>()
  #held: Buffer = Buffer.alloc(0)
  /** Octets that may still be read of names: headers of an archive do not overlap, so that they are no more than it has. */
  #room = 0

  /** `most`: names that are kept; beyond them, one of each further extension, as many again. */
  constructor(most: number) {
    this.#most = most
  }

  take(piece: Buffer): void {
    this.#room += piece.length
    const octets = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece])
    let at = octets.indexOf(PK)
    while (at !== -1 && octets.length - at >= wanted(octets, at)) {
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
    const shape = shapeAt(octets, at)
    if (shape === undefined || octets.length - at < shape.head) return
    const flags = octets.readUInt16LE(at + shape.flags)
    const start = at + shape.head
    const end = start + octets.readUInt16LE(at + shape.nameLength)
    const extraEnd = end + octets.readUInt16LE(at + shape.extraLength)
    if (end - start > LONGEST_NAME || extraEnd - end > LONGEST_EXTRA)
      this.lacking ||= isLikely(octets, at + shape.flags)
    if (end === start || end - start > LONGEST_NAME || end > octets.length) return
    this.#room -= Math.min(extraEnd, octets.length) - start
    if (this.#room < 0) this.lacking = true
    if (this.lacking) return
    if ((flags & ENCRYPTED) !== 0) this.encrypted = true
    this.#keep(octets.toString((flags & UTF8) === 0 ? 'latin1' : 'utf8', start, end))
    const other = unicodePath(octets.subarray(end, Math.min(extraEnd, end + LONGEST_EXTRA)))
    if (other !== undefined) this.#keep(other)
  }

  #keep(name: string): void {
    if (this.names.has(name)) return
    const extension = extensionOf(baseName(name)).slice(0, LONGEST_EXTENSION)
    const isNew = !this.#extensions.has(extension)
    if (this.names.size < this.#most || (isNew && this.#extensions.size < this.#most)) {
      this.names.add(name)
      this.#extensions.add(extension)
    } else this.lacking ||= isNew
  }
}

function shapeAt(octets: Buffer, at: number): RecordShape | undefined {
  return RECORDS.get((octets[at + 2] ?? 0) | ((octets[at + 3] ?? 0) << 8))
}

/** Octets from a sign on that have to be there to read what it begins. */
function wanted(octets: Buffer, at: number): number {
  const shape = shapeAt(octets, at)
  if (octets.length - at < WHOLE_HEAD || shape === undefined) return WHOLE_HEAD
  const name = octets.readUInt16LE(at + shape.nameLength)
  const extra = octets.readUInt16LE(at + shape.extraLength)
  return Math.max(WHOLE_HEAD, shape.head + Math.min(name, LONGEST_NAME) + Math.min(extra, LONGEST_EXTRA))
}

/** Flags stand between the version and the method. */
function isLikely(octets: Buffer, flags: number): boolean {
  return (octets[flags - 2] ?? 0) <= MOST_VERSION && octets.readUInt16LE(flags + 2) <= MOST_METHOD
}

function unicodePath(extra: Buffer): string | undefined {
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2)
    // Behind a version and a checksum of the other name.
    if (extra.readUInt16LE(at) === UNICODE_PATH && end - at > 9) return extra.toString('utf8', at + 9, end)
    at = end
  }
  return undefined
}
