// SPDX-License-Identifier: MIT

/** What a file of Outlook's own format begins with (MS-OXTNEF section 2.1.3.1). */
const SIGNATURE = Buffer.from('789f3e22', 'hex')

/** Where a record is, from its sign on: its length, and its content. */
interface RecordShape {
  readonly sign: Buffer
  readonly length: number
  readonly content: number
  readonly holds: 'name' | 'wide-name' | 'file'
}

const attribute = (sign: string, holds: RecordShape['holds']): RecordShape => ({
  ...{ sign: Buffer.from(sign, 'hex'), length: 4, content: 8, holds },
})
/** One value stands behind how many there are. */
const property = (sign: string, holds: RecordShape['holds']): RecordShape => ({
  ...{ sign: Buffer.from(sign, 'hex'), length: 8, content: 12, holds },
})

/** Attributes attAttachTitle and attAttachData (section 2.1.3.3), and names among properties (MS-OXCMSG section 2.2.2). */
const RECORDS: readonly RecordShape[] = [
  attribute('10800100', 'name'),
  attribute('0f800600', 'file'),
  property('1e000737', 'name'),
  property('1f000737', 'wide-name'),
  property('1e000437', 'name'),
  property('1f000437', 'wide-name'),
]
/** Octets of a name: in UTF-16 as many characters as paths have on Windows. */
const LONGEST_NAME = 1_024
const MOST_HELD = 12 + LONGEST_NAME
/** A number beyond it is no length of a name, but of something that only looks like one. */
const LIKELY_LENGTH = 0x10000

/** Reads the names of files in such a file while it passes by. It holds the octets of one name. */
export class TnefNames {
  readonly names = new Set<string>()
  /** There is a name that is too long to be read, one too many, or names lie in names. */
  lacking = false
  readonly #most: number
  readonly #isProgram: (start: Buffer) => boolean
  #program = false
  #held: Buffer = Buffer.alloc(0)
  /** Octets that may still be read of names: they do not overlap, so that they are no more than the file has. */
  #room = 0
  #kind: 'unknown' | 'tnef' | 'other' = 'unknown'

  /** `most`: names that are kept. `isProgram` judges the first octets of a file. */
  constructor(most: number, isProgram: (start: Buffer) => boolean) {
    this.#most = most
    this.#isProgram = isProgram
  }

  /** One of the files is a program. */
  get program(): boolean {
    return this.#program
  }

  take(piece: Buffer): void {
    if (this.#kind === 'other') return
    this.#room += piece.length
    const octets = Buffer.concat([this.#held, piece])
    if (this.#kind === 'unknown' && octets.length >= SIGNATURE.length)
      this.#kind = octets.subarray(0, SIGNATURE.length).equals(SIGNATURE) ? 'tnef' : 'other'
    const end = this.#kind === 'tnef' ? Math.max(0, octets.length - MOST_HELD) : 0
    this.#read(octets, end)
    this.#held = this.#kind === 'other' ? Buffer.alloc(0) : Buffer.from(octets.subarray(end))
  }

  end(): void {
    if (this.#kind === 'tnef') this.#read(this.#held, this.#held.length)
    this.#held = Buffer.alloc(0)
  }

  /** Records that begin before `end`. */
  #read(octets: Buffer, end: number): void {
    for (const shape of RECORDS)
      for (let at = octets.indexOf(shape.sign); at !== -1 && at < end; at = octets.indexOf(shape.sign, at + 1))
        this.#readAt(octets, at, shape)
  }

  #readAt(octets: Buffer, at: number, { length, content, holds }: RecordShape): void {
    if (octets.length - at < content || this.lacking) return
    const size = octets.readUInt32LE(at + length)
    const octetsOf = octets.subarray(at + content, at + content + Math.min(size, LONGEST_NAME))
    if (holds === 'file') this.#program ||= this.#isProgram(octetsOf)
    else if (size > LONGEST_NAME) this.lacking ||= size < LIKELY_LENGTH
    else if (size > this.#room) this.lacking = true
    else this.#keep(octetsOf.toString(holds === 'name' ? 'latin1' : 'utf16le').replace(/\0+$/, ''))
  }

  #keep(name: string): void {
    this.#room -= name.length
    if (this.names.size < this.#most) this.names.add(name)
    else this.lacking ||= !this.names.has(name)
  }
}
