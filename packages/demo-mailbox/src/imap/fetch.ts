// SPDX-License-Identifier: MIT
import type { StoredMessage } from '../mail-store.js'
import { fieldsOf, type MimePart, parseMime } from '../mime.js'
import { bodyStructure, envelope, internalDate, literal } from './format.js'
import type { Value } from './parse.js'

const MACROS: Readonly<Record<string, readonly string[]>> = {
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
}

/** What FETCH was asked for, in upper case; undefined when it cannot be read. */
export function fetchItems(value: Value | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined
  const texts =
    value.kind === 'list' ? value.items.map((item) => (item.kind === 'list' ? undefined : item.text)) : [value.text]
  const items: string[] = []
  for (const text of texts) {
    if (text === undefined) return undefined
    items.push(...(MACROS[text.toUpperCase()] ?? [text.toUpperCase()]))
  }
  return items
}

/** Reading these marks the message as seen (RFC 9051 section 6.4.5). */
export function marksSeen(items: readonly string[]): boolean {
  return items.some((item) => item.startsWith('BODY[') || item === 'RFC822' || item === 'RFC822.TEXT')
}

/** The data of one message, in Latin-1; undefined when an item is unknown. */
export function fetchData(message: StoredMessage, items: readonly string[]): string | undefined {
  let parsed: MimePart | undefined
  const part = () => {
    parsed ??= parseMime(message.raw.toString('latin1'))
    return parsed
  }
  const data: string[] = []
  for (const item of items) {
    const one = fetchItem(message, item, part)
    if (one === undefined) return undefined
    data.push(one)
  }
  return data.join(' ')
}

function fetchItem(message: StoredMessage, item: string, part: () => MimePart): string | undefined {
  switch (item) {
    case 'FLAGS':
      return `FLAGS (${[...message.flags].join(' ')})`
    case 'UID':
      return `UID ${message.uid}`
    case 'RFC822.SIZE':
      return `RFC822.SIZE ${message.raw.length}`
    case 'INTERNALDATE':
      return `INTERNALDATE ${internalDate(message.internalDate)}`
    case 'ENVELOPE':
      return `ENVELOPE ${envelope(part())}`
    case 'BODYSTRUCTURE':
    case 'BODY':
      return `${item} ${bodyStructure(part(), item === 'BODYSTRUCTURE')}`
    case 'RFC822':
      return `RFC822 ${literal(part().whole)}`
    case 'RFC822.HEADER':
      return `RFC822.HEADER ${literal(part().header)}`
    case 'RFC822.TEXT':
      return `RFC822.TEXT ${literal(part().body)}`
    default:
      return fetchSection(item, part)
  }
}

function fetchSection(item: string, part: () => MimePart): string | undefined {
  const match = /^BODY(?:\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?$/.exec(item)
  if (match === null) return undefined
  const section = match[1] ?? ''
  const text = sectionOf(part(), section)
  if (text === undefined) return undefined
  if (match[2] === undefined) return `BODY[${section}] ${text === null ? 'NIL' : literal(text)}`
  const from = Number(match[2])
  return `BODY[${section}]<${from}> ${literal((text ?? '').slice(from, from + Number(match[3])))}`
}

/** The octets of a section (RFC 9051 section 6.4.5.1). Null: there is no such part. Undefined: no such kind of section. */
function sectionOf(message: MimePart, section: string): string | null | undefined {
  const match = /^((?:\d+(?:\.|$))*)(.*)$/.exec(section)
  const numbers = (match?.[1] ?? '').split('.').filter((number) => number !== '')
  const kind = match?.[2] ?? ''
  let part: MimePart | undefined = message
  for (const number of numbers) {
    // The one part of a message that is not multipart is itself (section 6.4.5.1).
    part = part.parts.length === 0 && number === '1' ? part : part.parts[Number(number) - 1]
    if (part === undefined) return null
  }
  if (kind === '') return numbers.length === 0 ? part.whole : part.body
  if (kind === 'HEADER' || kind === 'MIME') return part.header
  if (kind === 'TEXT') return part.body
  const fields = /^HEADER\.FIELDS(\.NOT)? \(([^)]*)\)$/.exec(kind)
  if (fields === null) return undefined
  return someFields(part.header, (fields[2] ?? '').split(' '), fields[1] !== undefined)
}

function someFields(header: string, names: readonly string[], others: boolean): string {
  const wanted = new Set(names.map((name) => name.replace(/^"(.*)"$/, '$1').toUpperCase()))
  const chosen = fieldsOf(header).filter((field) => {
    return wanted.has(field.slice(0, Math.max(0, field.indexOf(':'))).toUpperCase()) !== others
  })
  return `${chosen.join('')}\r\n`
}
