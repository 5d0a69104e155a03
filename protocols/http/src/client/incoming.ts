// SPDX-License-Identifier: MIT

import { type ConnectionOptions, connectionOptions, persists } from '../backend/headers.js'
import { Field } from '../codec/fields.js'
import { type BadFraming, type Framing, requestFraming } from '../codec/framing.js'
import type { RequestHead } from '../codec/head.js'
import { isAuthority, readTarget } from '../directory/target.js'

/** A request that is well-formed: what it means may be looked at. */
export interface Incoming {
  readonly head: RequestHead
  readonly body: Framing
  readonly options: ConnectionOptions
  /** The client will use the connection again. */
  readonly persist: boolean
  /** In normal form; `*` for OPTIONS of the server as a whole. */
  readonly path: string
  /** With its question mark, or empty. */
  readonly query: string
  /** Effective host: of the absolute form, else the Host field; undefined for HTTP/1.0 without one. */
  readonly authority: string | undefined
  /** The value of Authorization. */
  readonly authorization: string | undefined
  /** It waits for leave to send its body. */
  readonly expectsContinue: boolean
}

/** Why a request is refused before anybody is asked. The connection ends: where the next one begins may be uncertain. */
export interface BadIncoming {
  readonly kind: 'bad'
  readonly status: 400 | 405 | 417 | 501
  readonly why:
    | BadFraming['why']
    | 'bad-host'
    | 'bad-target'
    | 'several-credentials'
    | 'refused-method'
    | 'unknown-expectation'
}

/** Methods that a gateway does not take: tunnels are not ours, and TRACE would reflect what we add for the backend's eyes. */
const REFUSED_METHODS = new Set(['CONNECT', 'TRACE'])

/** Checks what the parts of a request say together (RFC 9112 sections 3.2 and 6.3). */
export function readIncoming(head: RequestHead): Incoming | BadIncoming {
  const { fields } = head
  const body = requestFraming(head)
  if (body.kind === 'bad') return body
  if (REFUSED_METHODS.has(head.method)) return bad(405, 'refused-method')
  const hosts = fields.countOf(Field.host)
  const host = fields.first(Field.host)
  if (hosts > 1 || (hosts === 0 && head.minor === 1)) return bad(400, 'bad-host')
  if (host !== undefined && !isAuthority(host)) return bad(400, 'bad-host')
  const target = readTarget(head.target)
  if (target.kind === 'bad') return bad(400, 'bad-target')
  if (target.kind === 'asterisk' && head.method !== 'OPTIONS') return bad(400, 'bad-target')
  if (fields.countOf(Field.authorization) > 1) return bad(400, 'several-credentials')
  // HTTP/1.0 knows no expectations (RFC 9110 section 10.1.1).
  const expected = head.minor === 1 ? fields.all(Field.expect)?.toLowerCase() : undefined
  if (expected !== undefined && expected !== '100-continue') return bad(417, 'unknown-expectation')
  const options = connectionOptions(fields)
  return {
    head,
    body,
    options,
    persist: persists(head.minor, options),
    path: target.kind === 'path' ? target.path : '*',
    query: target.kind === 'path' ? target.query : '',
    authority: (target.kind === 'path' ? target.authority : undefined) ?? host,
    authorization: fields.first(Field.authorization),
    expectsContinue: expected !== undefined && body.kind !== 'none',
  }
}

function bad(status: BadIncoming['status'], why: BadIncoming['why']): BadIncoming {
  return { kind: 'bad', status, why }
}
