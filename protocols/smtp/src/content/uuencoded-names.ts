// SPDX-License-Identifier: MIT
import { decodeOctets } from '../message/decode-octets.js'
import type { PartSink } from './part.js'

/** How a file begins that is written into plain text (POSIX uuencode), a character for each octet. A longer name is none. */
const BEGIN = /(?:^|[\r\n])begin [0-7]{3,4} (\S[^\r\n]{0,254})(?=[\r\n])/g
const LONGEST_LINE = 300
const SIGN = 'begin '

/** Reads the names of files written into a text while it passes by, however long it is. It holds one line at most. */
export class UuencodedNames implements PartSink {
  readonly #names = new Set<string>()
  readonly #most: number
  readonly #ended: (names: readonly string[], lacking: boolean) => void
  #lacking = false
  /** What may be the start of a line that goes on in the next piece. Within a longer line it does not begin with a line end. */
  #held = '\n'

  /** `most`: names that are kept. `ended` gets them; `lacking`: there were more. */
  constructor(most: number, ended: (names: readonly string[], lacking: boolean) => void) {
    this.#most = most
    this.#ended = ended
  }

  take(piece: Buffer): void {
    const text = this.#held + piece.toString('latin1')
    if (text.includes(SIGN)) this.#read(text)
    const line = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'))
    // No longer line counts; what is kept of it stands for its middle.
    this.#held = line === -1 || text.length - line > LONGEST_LINE ? ' ' : text.slice(line)
  }

  end(): void {
    this.#read(`${this.#held}\n`)
    this.#ended([...this.#names], this.#lacking)
  }

  #read(text: string): void {
    for (const [, name = ''] of text.matchAll(BEGIN)) {
      if (this.#names.size === this.#most) this.#lacking = true
      else this.#names.add(decodeOctets(Buffer.from(name, 'latin1'), 'utf-8'))
    }
  }
}
