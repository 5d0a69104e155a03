// SPDX-License-Identifier: MIT

import { type HeaderFields, parseHeader } from '../message/header-fields.js'
import { type MimeField, parameterOf, parseMimeField } from './mime-field.js'

/** Where a part that holds no others stands in a message: offsets of octets. */
export interface PartPlace {
  readonly fields: HeaderFields
  readonly contentType: MimeField
  /** Of its header section. */
  readonly start: number
  /** Of its content. The line end in front of the delimiter that ends it is not part of it (RFC 2046 section 5.1.1). */
  readonly body: number
  readonly end: number
  /** Its content is empty, and the line end in front of the delimiter is that of its header section. */
  readonly tight: boolean
  /** The multiparts it stands in, the outermost first. */
  readonly within: readonly Multipart[]
}

export interface Multipart {
  readonly type: string
  readonly boundary: string
}

/** Longest delimiter line, with the white space that may follow (RFC 2046 section 5.1.1, RFC 5322 section 2.1.1). */
const LONGEST_DELIMITER = 1_000
/** Octets of the header section of one part. */
const LONGEST_HEADER = 256 * 1024
const DEEPEST = 50
const [LF, CR, DASH] = [10, 13, 45]
const NEXT_DELIMITER = Buffer.from('\n--')

/**
 * Finds the parts of a message while it passes by, and says where each that holds no others stands. Messages within the message are
 * such parts. It holds one header section at most.
 */
export class PartScanner {
  /** The message is beyond what is read of one: nothing more is found. */
  lost = false
  readonly #found: (part: PartPlace) => void
  #within: readonly Multipart[] = []
  /** The header section of the part that begins; undefined behind it. */
  #header: string | undefined = ''
  #start = 0
  #open: Omit<PartPlace, 'end' | 'tight'> | undefined
  #line = ''
  #lineStart = 0
  #at = 0
  /** Octets of the line end in front of this line. */
  #break = 0

  constructor(found: (part: PartPlace) => void) {
    this.#found = found
  }

  take(piece: Buffer): void {
    for (let from = 0; from < piece.length && !this.lost; ) {
      const next = this.#behindText(piece, from)
      if (next > from) {
        from = next
        continue
      }
      const lf = piece.indexOf(10, from)
      const end = lf === -1 ? piece.length : lf + 1
      const room = (this.#header === undefined ? LONGEST_DELIMITER : LONGEST_HEADER) - this.#line.length
      if (room > 0) this.#line += piece.toString('latin1', from, Math.min(end, from + room))
      this.#at += end - from
      from = end
      if (lf !== -1) this.#endLine(piece[lf - 1] === 13 || this.#line.endsWith('\r\n') ? 2 : 1)
    }
  }

  /** Where the next line begins that may be a delimiter, or that goes on in another piece: those before it are content and no more. */
  #behindText(piece: Buffer, from: number): number {
    if (this.#header !== undefined || this.#line !== '' || piece[from] === DASH) return from
    const found = piece.indexOf(NEXT_DELIMITER, from)
    const lf = found === -1 ? piece.lastIndexOf(LF) : found
    if (lf < from) return from
    this.#break = lf > from && piece[lf - 1] === CR ? 2 : 1
    this.#at += lf + 1 - from
    this.#lineStart = this.#at
    return lf + 1
  }

  /** The message is over. */
  end(): void {
    if (this.lost) return
    if (this.#at > this.#lineStart) this.#endLine(0)
    // A header section may lack its empty line.
    if (this.#header !== undefined) this.#beginBody(this.#at)
    this.#close(this.#at)
  }

  #endLine(ending: number): void {
    const [line, start] = [this.#line, this.#lineStart]
    this.#line = ''
    this.#lineStart = this.#at
    const level = line.startsWith('--') ? this.#within.findLastIndex(({ boundary }) => isDelimiter(line, boundary)) : -1
    if (level !== -1) this.#delimit(level, line, start)
    else if (this.#header !== undefined) {
      if (line === '\r\n' || line === '\n') this.#beginBody(this.#at)
      else if (this.#header.length + line.length > LONGEST_HEADER) this.lost = true
      else this.#header += line
    }
    this.#break = ending
  }

  /** A part of the multipart at this level begins, or that multipart is over. */
  #delimit(level: number, line: string, start: number): void {
    if (this.#header !== undefined) this.#beginBody(start)
    this.#close(start - this.#break)
    const closing = line.startsWith('--', 2 + (this.#within[level] as Multipart).boundary.length)
    this.#within = this.#within.slice(0, closing ? level : level + 1)
    this.#header = closing ? undefined : ''
    this.#start = this.#at
  }

  #beginBody(body: number): void {
    const fields = parseHeader(Buffer.from(this.#header ?? '', 'latin1'), 'plain')
    const contentType = parseMimeField(fields.first('content-type')?.text() ?? '')
    const boundary = parameterOf(contentType, 'boundary')?.trimEnd() ?? ''
    this.#header = undefined
    if (contentType.value.startsWith('multipart/') && boundary !== '') {
      this.#within = [...this.#within, { type: contentType.value, boundary }]
      this.lost ||= this.#within.length > DEEPEST
    } else this.#open = { fields, contentType, start: this.#start, body, within: this.#within }
  }

  #close(end: number): void {
    if (this.#open !== undefined) {
      const { body } = this.#open
      this.#found({ ...this.#open, end: Math.max(end, body), tight: end < body })
    }
    this.#open = undefined
  }
}

function isDelimiter(line: string, boundary: string): boolean {
  return line.startsWith(boundary, 2) && /^(?:--)?[ \t]*\r?\n?$/.test(line.slice(2 + boundary.length))
}
