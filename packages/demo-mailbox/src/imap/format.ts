// SPDX-License-Identifier: MIT
import { parseAddresses } from '../addresses.js'
import type { MimePart } from '../mime.js'

/** A string: quoted where that is possible, else a literal. Latin-1. */
export function quoted(text: string | undefined): string {
  if (text === undefined) return 'NIL'
  if (/^[\x20-\x7e]*$/.test(text) && text.length < 1_000) return `"${text.replace(/["\\]/g, '\\$&')}"`
  return literal(text)
}

export function literal(text: string): string {
  return `{${text.length}}\r\n${text}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `"17-Jul-1996 02:44:25 +0000"`, always in UTC. */
export function internalDate(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const day = String(date.getUTCDate()).padStart(2, ' ')
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
  return `"${day}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()} ${time} +0000"`
}

/** RFC 9051 section 7.5.2, ENVELOPE. */
export function envelope(part: MimePart): string {
  const list = (name: string) => addressList(part.field(name))
  const from = list('from')
  const orFrom = (name: string) => (list(name) === 'NIL' ? from : list(name))
  const text = (name: string) => quoted(part.field(name))
  return [
    `(${text('date')} ${text('subject')} ${from} ${orFrom('sender')} ${orFrom('reply-to')}`,
    `${list('to')} ${list('cc')} ${list('bcc')} ${text('in-reply-to')} ${text('message-id')})`,
  ].join(' ')
}

function addressList(field: string | undefined): string {
  const addresses = parseAddresses(field ?? '')
  if (addresses.length === 0) return 'NIL'
  return `(${addresses.map(({ name, local, domain }) => `(${quoted(name)} NIL ${quoted(local)} ${quoted(domain)})`).join('')})`
}

/** RFC 9051 section 7.5.2, BODYSTRUCTURE; without extension data it is BODY. */
export function bodyStructure(part: MimePart, extended: boolean): string {
  const disposition = part.disposition
  const shown =
    disposition === undefined ? 'NIL' : `(${quoted(disposition.kind)} ${parameterList(disposition.parameters)})`
  if (part.parts.length > 0) {
    const more = extended ? ` ${parameterList(part.parameters)} ${shown} NIL NIL` : ''
    return `(${part.parts.map((child) => bodyStructure(child, extended)).join('')} ${quoted(part.subtype)}${more})`
  }
  const lines = part.type === 'TEXT' ? ` ${part.body.split('\r\n').length - 1}` : ''
  const id = `${quoted(part.field('content-id'))} ${quoted(part.field('content-description'))}`
  const more = extended ? ` NIL ${shown} NIL NIL` : ''
  // A message inside a message would need its envelope here; it is shown as octets instead.
  const type = part.type === 'MULTIPART' || part.type === 'MESSAGE' ? '"APPLICATION" "OCTET-STREAM"' : undefined
  const kind = type ?? `${quoted(part.type)} ${quoted(part.subtype)}`
  return `(${kind} ${parameterList(part.parameters)} ${id} ${quoted(part.encoding)} ${part.body.length}${lines}${more})`
}

function parameterList(parameters: ReadonlyMap<string, string>): string {
  if (parameters.size === 0) return 'NIL'
  return `(${[...parameters].map(([name, value]) => `${quoted(name.toUpperCase())} ${quoted(value)}`).join(' ')})`
}
