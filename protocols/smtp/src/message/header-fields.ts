// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'

/** How lines are written: `data` with a dot in front of lines that begin with one (RFC 5321 section 4.5.2), `plain` without. */
export type LineForm = 'data' | 'plain'

/** One field of a header section, with the lines that continue it. */
export interface HeaderField {
  /** In lower case, without the white space that the obsolete syntax allows before the colon (RFC 5322 section 4.5); '' for lines that are no field. */
  readonly name: string
  /** What a lenient reader could take for the name: all before the colon, unfolded, as it came; octets as Latin-1. */
  readonly rawName: string
  /** `section[start..end)`, with the CRLF at its end. */
  readonly start: number
  readonly end: number
  /** What is behind the colon, or all where there is none: unfolded (RFC 5322 section 2.2.3), without white space around; octets as Latin-1. */
  text(): string
}

/** What to do to a header section. */
export interface HeaderEdits {
  /** Says which fields go; none when absent. */
  readonly remove?: (field: HeaderField) => boolean
  /** Whole fields with their CRLF to go in front of all others, the first one first; a character for each octet. No line begins with a dot. */
  readonly prepend: readonly string[]
}

/** Fields of a header section: each costs far more than its octets. */
const MOST_FIELDS = 5_000

const EMPTY_LINE = '\r\n'
const DOT = 46
const FIELD_NAME = /^[!-9;-~]+$/

/** Reads what it is asked for only when it is: most fields of a message are never looked at but for their names. */
class Field implements HeaderField {
  readonly start: number
  readonly end: number
  readonly #lines: string
  readonly #form: LineForm
  #name: string | undefined

  constructor(start: number, end: number, lines: string, form: LineForm) {
    this.start = start
    this.end = end
    this.#lines = lines
    this.#form = form
  }

  get rawName(): string {
    const colon = this.#lines.indexOf(':')
    const lf = colon === -1 ? -1 : this.#lines.lastIndexOf('\n', colon)
    if (lf === -1) return colon === -1 ? '' : this.#lines.slice(this.#dots(), colon)
    const text = this.#unfolded()
    return text.slice(0, text.indexOf(':'))
  }

  get name(): string {
    if (this.#name === undefined) {
      const name = this.rawName.trimEnd()
      this.#name = FIELD_NAME.test(name) ? name.toLowerCase() : ''
    }
    return this.#name
  }

  text(): string {
    const text = this.#unfolded()
    return withoutBlanks(text.slice(text.indexOf(':') + 1))
  }

  #dots(): number {
    return this.#form === 'data' && this.#lines.charCodeAt(0) === DOT ? 1 : 0
  }

  #unfolded(): string {
    const plain = this.#form === 'data' ? this.#lines.replace(/^\.|(?<=\n)\./g, '') : this.#lines
    return plain.replace(/\r?\n/g, '')
  }
}

/** The fields of a header section, in their order. */
export class HeaderFields implements Iterable<HeaderField> {
  readonly list: readonly HeaderField[]
  /** A bare CR, a bare LF or a NUL is in the section: readers do not agree where its lines end. Only what is sent as binary can have one. */
  readonly faulty: boolean
  /** There are more fields than are read: those behind are neither in the list nor looked at. */
  readonly tooMany: boolean

  constructor(list: readonly HeaderField[], faulty: boolean, tooMany: boolean) {
    this.list = list
    this.faulty = faulty
    this.tooMany = tooMany
  }

  [Symbol.iterator](): Iterator<HeaderField> {
    return this.list[Symbol.iterator]()
  }

  /** The first field of a name, which is in lower case. */
  first(name: string): HeaderField | undefined {
    return this.list.find((field) => field.name === name)
  }
}

/** Finds the fields of a header section, which may lack its empty line. Every octet before the empty line belongs to exactly one field. */
export function parseHeader(section: Buffer, form: LineForm): HeaderFields {
  const text = section.toString('latin1')
  const list: HeaderField[] = []
  let faulty = text.includes('\0')
  let start = 0
  let at = 0
  let cr = text.indexOf('\r')
  while (at < text.length && !text.startsWith(EMPTY_LINE, at)) {
    const lf = text.indexOf('\n', at)
    faulty ||= cr === -1 ? lf !== -1 : cr !== lf - 1
    if (at > start && !continues(text, at, form)) {
      if (list.length === MOST_FIELDS) return new HeaderFields(list, faulty, true)
      list.push(new Field(start, at, text.slice(start, at), form))
      start = at
    }
    at = lf === -1 ? text.length : lf + 1
    if (cr !== -1 && cr < at) cr = text.indexOf('\r', at)
  }
  if (at > start) list.push(new Field(start, at, text.slice(start, at), form))
  return new HeaderFields(list, faulty, list.length > MOST_FIELDS)
}

/**
 * The pieces that a header section becomes; those of it that stay are views of it. A first line that begins with white space would
 * become part of what is put in front of it: there an empty line goes between, since no header begins so (RFC 5322 section 2.2).
 */
export function editHeader(
  section: Buffer,
  fields: HeaderFields,
  edits: readonly HeaderEdits[],
  form: LineForm,
): readonly Octets[] {
  const pieces: Octets[] = []
  const prepended = edits.flatMap((edit) => edit.prepend).join('')
  let from = 0
  for (const field of fields.list) {
    if (!edits.some((edit) => edit.remove?.(field) === true)) continue
    if (field.start > from) pieces.push(section.subarray(from, field.start))
    from = field.end
  }
  if (from < section.length) pieces.push(section.subarray(from))
  if (prepended === '') return pieces
  const [first] = pieces
  const orphan = first !== undefined && isWhite(first[form === 'data' && first[0] === DOT ? 1 : 0])
  return [Buffer.from(orphan ? `${prepended}\r\n` : prepended, 'latin1'), ...pieces]
}

/** How many servers a message has passed (RFC 5321 section 6.3). */
export function hopsOf(fields: HeaderFields): number {
  let hops = 0
  for (const field of fields.list) if (field.name === 'received') hops += 1
  return hops
}

/** A line that begins with white space continues the one before (RFC 5322 section 2.2.3). */
function continues(text: string, at: number, form: LineForm): boolean {
  return isWhite(text.charCodeAt(form === 'data' && text.charCodeAt(at) === DOT ? at + 1 : at))
}

function isWhite(octet: number | undefined): boolean {
  return octet === 32 || octet === 9
}

/** Without the blanks at both ends, and with all else that JavaScript takes for white space: octets are no characters. */
function withoutBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isWhite(text.charCodeAt(start))) start += 1
  while (end > start && isWhite(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}
