// SPDX-License-Identifier: MIT
import { decodeOctets } from '../message/decode-octets.js'
import { htmlText } from './html-text.js'
import { type MimeField, parameterOf, parseMimeField } from './mime-field.js'
import type { Part, PartSink } from './part.js'

/** Octets of text that may still be kept. */
export interface TextRoom {
  left: number
  /** Something was dropped for want of room. */
  lacking: boolean
}

/** Keeps a text while it passes by, as far as there is room. */
export class TextSink implements PartSink {
  readonly #part: Part
  readonly #room: TextRoom
  readonly #ended: (text: string) => void
  readonly #pieces: Buffer[] = []

  constructor(part: Part, room: TextRoom, ended: (text: string) => void) {
    this.#part = part
    this.#room = room
    this.#ended = ended
  }

  take(piece: Buffer): void {
    const kept = piece.subarray(0, this.#room.left)
    if (kept.length < piece.length) this.#room.lacking = true
    this.#room.left -= kept.length
    // A view would keep alive all that came with it.
    if (kept.length > 0) this.#pieces.push(Buffer.from(kept))
  }

  end(): void {
    const contentType = parseMimeField(this.#part.fields.first('content-type')?.text() ?? '')
    const octets = Buffer.concat(this.#pieces)
    const text = this.#decoded(octets, parameterOf(contentType, 'charset')).replace(/\r\n?/g, '\n')
    this.#ended(this.#part.type === 'text/html' ? htmlText(text) : plainText(text, contentType))
  }

  /** What was cut within a character is no reason to take another character set. */
  #decoded(octets: Buffer, charset = 'utf-8'): string {
    if (!this.#room.lacking) return decodeOctets(octets, charset)
    try {
      return new TextDecoder(charset).decode(octets)
    } catch {
      return new TextDecoder().decode(octets)
    }
  }
}

/** Lines that end with a space go on in the next one, but for the line above a signature (RFC 3676 section 4). */
function plainText(text: string, contentType: MimeField): string {
  if (parameterOf(contentType, 'format')?.toLowerCase() !== 'flowed') return text
  const space = parameterOf(contentType, 'delsp')?.toLowerCase() === 'yes' ? '' : ' '
  return text.replace(/(?<!(?:^|\n)--) \n/g, space)
}
