// SPDX-License-Identifier: MIT
import { Field, type Fields } from './fields.js'
import type { RequestHead, ResponseHead } from './head.js'

/** How a message's content is delimited (RFC 9112 section 6.3). */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' }

/** Two readers could disagree about where the message ends, or we cannot tell: it is not passed on. */
export interface BadFraming {
  readonly kind: 'bad'
  readonly status: 400 | 501
  readonly why:
    | 'length-and-chunked'
    | 'several-lengths'
    | 'bad-length'
    | 'several-codings'
    | 'unknown-coding'
    | 'coding-in-http-1.0'
}

const NONE: Framing = { kind: 'none' }
const CHUNKED: Framing = { kind: 'chunked' }
const UNTIL_CLOSE: Framing = { kind: 'until-close' }

/**
 * Framing of a request. Stricter than RFC 9112 section 6.3 asks: a length beside a coding, a repeated length and a list of
 * lengths are refused, never repaired; the only coding is `chunked` (RFC 9112 section 6.1 answers others with 501).
 */
export function requestFraming(head: RequestHead): Framing | BadFraming {
  return explicitFraming(head.fields, head.minor) ?? NONE
}

/** Framing of a response to a request with this method. */
export function responseFraming(head: ResponseHead, method: string): Framing | BadFraming {
  const { status } = head
  const explicit = explicitFraming(head.fields, head.minor)
  if (explicit?.kind === 'bad') return explicit
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return NONE
  return explicit ?? UNTIL_CLOSE
}

function explicitFraming(fields: Fields, minor: 0 | 1): Framing | BadFraming | undefined {
  const codings = fields.countOf(Field.transferEncoding)
  const lengths = fields.countOf(Field.contentLength)
  if (codings === 0 && lengths === 0) return undefined
  if (codings > 0) {
    if (lengths > 0) return bad('length-and-chunked')
    if (minor === 0) return bad('coding-in-http-1.0')
    if (codings > 1) return bad('several-codings')
    return fields.first(Field.transferEncoding)?.toLowerCase() === 'chunked' ? CHUNKED : bad('unknown-coding')
  }
  if (lengths > 1) return bad('several-lengths')
  const text = fields.first(Field.contentLength) ?? ''
  // 15 digits are a petabyte and stay exact in a number.
  if (!/^\d{1,15}$/.test(text)) return bad(text.includes(',') ? 'several-lengths' : 'bad-length')
  return { kind: 'length', length: Number(text) }
}

function bad(why: BadFraming['why']): BadFraming {
  return { kind: 'bad', status: why === 'unknown-coding' ? 501 : 400, why }
}
