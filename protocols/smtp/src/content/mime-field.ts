// SPDX-License-Identifier: MIT
import { decodeOctets } from '../message/decode-octets.js'
import { decodeWords } from './encoded-words.js'

/** A field such as Content-Type or Content-Disposition (RFC 2045 section 5.1, RFC 2183 section 2). */
export interface MimeField {
  /** What stands before the parameters, in lower case without white space; '' where there is none. */
  readonly value: string
  /**
   * By name in lower case: every value that is given, those of RFC 2231 first. Encoded words are read in them, which
   * RFC 2047 section 5 forbids and many write.
   */
  readonly parameters: ReadonlyMap<string, readonly string[]>
  /** All of it was read. */
  readonly whole: boolean
}

/** Parameters beyond these are not read. */
const MOST_PARAMETERS = 200

/** Reads raw text, a character for each octet, as leniently as mail programs do. Never fails. */
export function parseMimeField(raw: string): MimeField {
  const [value = '', ...rest] = cutAtSemicolons(raw)
  const plain: (readonly [name: string, text: string])[] = []
  for (const piece of rest) {
    const equals = piece.indexOf('=')
    const name = piece.slice(0, Math.max(equals, 0)).trim().toLowerCase()
    if (name !== '') plain.push([name, piece.slice(equals + 1).trim()])
  }
  return {
    value: value.replace(/\s/g, '').toLowerCase(),
    parameters: joined(plain),
    whole: rest.length <= MOST_PARAMETERS,
  }
}

/** The first value of a parameter. */
export function parameterOf({ parameters }: MimeField, name: string): string | undefined {
  return parameters.get(name)?.[0]
}

/** Pieces between semicolons, without quotes and comments (RFC 822 section 3.4.3) that stand outside of quotes. */
function cutAtSemicolons(raw: string): readonly string[] {
  const pieces: string[] = []
  let piece = ''
  let quoted = false
  let depth = 0
  for (let at = 0; at < raw.length && pieces.length <= MOST_PARAMETERS; at += 1) {
    const character = raw[at] as string
    if (character === '\\' && (quoted || depth > 0)) {
      at += 1
      if (depth === 0) piece += raw[at] ?? ''
    } else if (depth > 0) depth += character === '(' ? 1 : character === ')' ? -1 : 0
    else if (character === '"') quoted = !quoted
    else if (quoted) piece += character
    else if (character === '(') depth = 1
    else if (character === ';') {
      pieces.push(piece)
      piece = ''
    } else piece += character
  }
  pieces.push(piece)
  return pieces
}

interface Section {
  readonly order: number
  readonly encoded: boolean
  readonly text: string
}

/** Puts together what is given in sections (RFC 2231 section 3) and decodes what is encoded (section 4). */
function joined(plain: readonly (readonly [string, string])[]): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, Section[]>()
  const values = new Map<string, string[]>()
  for (const [name, text] of plain) {
    const [, base, order, star] = /^([^*]*)(?:\*(\d{1,4}))?(\*)?$/.exec(name) ?? [undefined, name]
    const key = base ?? name
    if (key === '') continue
    if (order === undefined && star === undefined) append(values, key, key === 'boundary' ? text : decodeWords(text))
    else append(sections, key, { order: Number(order ?? 0), encoded: star !== undefined, text })
  }
  for (const [name, list] of sections) values.set(name, [sectionsText(list), ...(values.get(name) ?? [])])
  return values
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

function sectionsText(sections: readonly Section[]): string {
  const [first, ...rest] = sections.toSorted((one, other) => one.order - other.order)
  if (first === undefined) return ''
  const [, charset = '', text = first.text] = (first.encoded && /^([^']*)'[^']*'(.*)$/s.exec(first.text)) || []
  const raw = [{ ...first, text }, ...rest].map((section) =>
    section.encoded ? percentDecoded(section.text) : section.text,
  )
  return decodeOctets(Buffer.from(raw.join(''), 'latin1'), charset === '' ? 'utf-8' : charset)
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
