// SPDX-License-Identifier: MIT
import { Field, type Fields } from '../codec/fields.js'
import type { DirectoryTable } from './directories.js'
import { destinationForBackend, type View } from './mapping.js'

/** Field lines that name other resources, as a backend is to see them; or why the request cannot go there. */
export type NamedAddresses =
  | { readonly kind: 'lines'; readonly text: string }
  /** 400; 502 (RFC 4918 section 9.8.5); 412 for a condition of which nobody here can know whether it holds (section 10.4.1). */
  | { readonly kind: 'refused'; readonly status: 400 | 412 | 502 }

const NONE: NamedAddresses = { kind: 'lines', text: '' }

/** What Destination and If name (RFC 4918 sections 10.3 and 10.4), mapped as the request's own target is, each line with its CRLF. */
export function namedAddresses(view: View, table: DirectoryTable, fields: Fields): NamedAddresses {
  const destination = fields.first(Field.destination)
  const condition = fields.first(Field.condition)
  if (destination === undefined && condition === undefined) return NONE
  let text = ''
  if (destination !== undefined) {
    const mapped = destinationForBackend(view, table, destination)
    if (mapped.kind !== 'mapped') return { kind: 'refused', status: mapped.kind === 'bad' ? 400 : 502 }
    text = `Destination: ${mapped.value}\r\n`
  }
  if (condition === undefined) return { kind: 'lines', text }
  if (fields.countOf(Field.condition) > 1) return { kind: 'refused', status: 400 }
  const mapped = mapCondition(condition, (address) => destinationForBackend(view, table, address))
  return typeof mapped === 'string' ? { kind: 'lines', text: `${text}If: ${mapped}\r\n` } : mapped
}

/** The resources that lists are tagged with; what stands in the lists, tokens and entity tags, is the backend's own. */
function mapCondition(
  value: string,
  map: (address: string) => ReturnType<typeof destinationForBackend>,
): string | Extract<NamedAddresses, { kind: 'refused' }> {
  let mapped = ''
  for (let at = 0; at < value.length; ) {
    const sign = value[at]
    const end = sign === '(' ? endOfList(value, at) : sign === '<' ? value.indexOf('>', at) + 1 : at + 1
    if (end <= at || (end === at + 1 && sign !== ' ' && sign !== '\t')) return { kind: 'refused', status: 400 }
    if (sign === '<') {
      const address = map(value.slice(at + 1, end - 1))
      if (address.kind !== 'mapped') return { kind: 'refused', status: address.kind === 'bad' ? 400 : 412 }
      mapped += `<${address.value}>`
    } else mapped += value.slice(at, end)
    at = end
  }
  return mapped
}

/** Where a list ends, behind its bracket; 0 when it does not. Neither a token nor a quoted tag holds its own end. */
function endOfList(value: string, from: number): number {
  for (let at = from + 1; at > 0 && at < value.length; at += 1) {
    const sign = value[at]
    if (sign === ')') return at + 1
    if (sign === '(') return 0
    if (sign === '<' || sign === '"') {
      at = value.indexOf(sign === '<' ? '>' : '"', at + 1)
      if (at < 0) return 0
    }
  }
  return 0
}
