// SPDX-License-Identifier: MIT

import { framingLine } from '../backend/headers.js'
import { Field } from '../codec/fields.js'
import type { Framing } from '../codec/framing.js'
import type { ResponseHead } from '../codec/head.js'
import { connectionLine } from '../replies.js'

/** How a response's content goes on to the client. */
export interface Delivery {
  /** Field lines about content and connection. */
  readonly lines: string
  /** The content is written as chunks. */
  readonly chunked: boolean
  /** The client's connection can go on. */
  readonly persist: boolean
}

/**
 * Decides it. Content without a known length is chunked for HTTP/1.1; a client of HTTP/1.0 gets it until we close
 * (RFC 9112 section 6.3). `wanted` says whether the client's connection should go on.
 */
export function deliveryOf(head: ResponseHead, framing: Framing, clientMinor: 0 | 1, wanted: boolean): Delivery {
  const counted = framing.kind === 'none' || framing.kind === 'length'
  const chunked = !counted && clientMinor === 1
  const persist = wanted && (counted || chunked)
  const content = chunked ? 'Transfer-Encoding: chunked\r\n' : lengthLine(head, framing)
  return { lines: content + connectionLine(persist, clientMinor), chunked, persist }
}

/** Content-Length where the length is known, else nothing. */
export function lengthLine(head: ResponseHead, framing: Framing): string {
  if (framing.kind === 'none') return announced(head)
  return framing.kind === 'length' ? framingLine(framing) : ''
}

/** HEAD and 304 tell the length of what they do not send (RFC 9110 section 8.6); 1xx and 204 must not. */
function announced(head: ResponseHead): string {
  if (head.status < 200 || head.status === 204) return ''
  const length = head.fields.first(Field.contentLength)
  return length === undefined ? '' : `Content-Length: ${length}\r\n`
}
