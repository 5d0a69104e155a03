// SPDX-License-Identifier: MIT
import { type Field, type Head, onlyValue, valuesOf } from './parse.js'
import { parseNamedAddress } from './parse-address.js'
import { parseVia, type Via } from './parse-via.js'

/** A request as far as it could be read: what a response repeats, and what is wrong. */
export interface Request {
  readonly method: string
  readonly uri: string
  readonly version: string
  readonly fields: readonly Field[]
  /** Without it nobody can be answered: undefined when it cannot be read. */
  readonly via: Via | undefined
  /** The To field has a tag: it speaks of a dialog (RFC 3261 section 12.2). */
  readonly inDialog: boolean
  readonly fault: string | undefined
}

/** Fields of which there is exactly one (RFC 3261 section 8.1.1), with the phrase for one that is not as it should be. */
const NEEDED = [
  ['to', 'Malformed To'],
  ['from', 'Malformed From'],
  ['call-id', 'Malformed Call-ID'],
  ['cseq', 'Malformed CSeq'],
] as const

/** Looks into what every response and every decision needs. */
export function requestOf(head: Extract<Head, { kind: 'request' }>): Request {
  const { method, uri, version, fields } = head
  const vias = valuesOf(fields, 'via')
  const via = vias?.[0] === undefined ? undefined : parseVia(vias[0])
  const to = onlyValue(fields, 'to')
  const address = to === undefined || to === 'many' ? undefined : parseNamedAddress(to.value)
  const inDialog = address?.parameters.has('tag') === true
  return { method, uri, version, fields, via, inDialog, fault: head.fault ?? faultOf(method, fields) }
}

function faultOf(method: string, fields: readonly Field[]): string | undefined {
  for (const [name, phrase] of NEEDED) {
    const only = onlyValue(fields, name)
    if (only === undefined) return `Missing ${phrase.slice('Malformed '.length)}`
    if (only === 'many' || !isGood(name, only.value, method)) return phrase
  }
  if (!isNumber(onlyValue(fields, 'max-forwards'), MOST_FORWARDS)) return 'Malformed Max-Forwards'
  return isNumber(onlyValue(fields, 'content-length'), Number.MAX_SAFE_INTEGER) ? undefined : 'Malformed Content-Length'
}

function isGood(name: (typeof NEEDED)[number][0], value: string, method: string): boolean {
  switch (name) {
    case 'to':
    case 'from':
      return parseNamedAddress(value) !== undefined
    case 'call-id':
      return /^[^\s@]+(?:@[^\s@]+)?$/.test(value)
    case 'cseq':
      return isSequence(value, method)
  }
}

/** A number below 2**31 and the method again (RFC 3261 section 8.1.1.5). */
function isSequence(value: string, method: string): boolean {
  const match = /^(\d{1,10})[ \t]+(\S+)$/.exec(value)
  return match !== null && Number(match[1]) < 2 ** 31 && match[2] === method
}

const MOST_FORWARDS = 255

/** Absent is as good as right: clients of RFC 2543 send no Max-Forwards, and on datagrams the length is known. */
function isNumber(only: ReturnType<typeof onlyValue>, most: number): boolean {
  if (only === undefined) return true
  return only !== 'many' && /^\d{1,15}$/.test(only.value) && Number(only.value) <= most
}

/** The value of Content-Length; undefined when it is absent or no number. */
export function contentLength(fields: readonly Field[]): number | undefined {
  const only = onlyValue(fields, 'content-length')
  return only !== undefined && only !== 'many' && /^\d{1,15}$/.test(only.value) ? Number(only.value) : undefined
}
