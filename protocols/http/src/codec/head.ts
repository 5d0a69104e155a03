// SPDX-License-Identifier: MIT
import { CR, LF, SP, TOKEN } from './chars.js'
import { type FieldFault, type Fields, readFields } from './fields.js'

/** How much of a head is borne. Sizes in octets. */
export interface HeadLimits {
  /** The whole head with its empty line: 431 above it. */
  readonly head: number
  /** The request target: 414 above it (RFC 9110 section 15.5.15). */
  readonly target: number
  /** Number of field lines: 431 above it. */
  readonly fields: number
}

/** What a client asks, before its meaning is looked at (RFC 9112 section 3). */
export interface RequestHead {
  readonly kind: 'request'
  readonly method: string
  /** Visible ASCII only. */
  readonly target: string
  /** HTTP/1.x. */
  readonly minor: 0 | 1
  readonly fields: Fields
}

/** What a backend answers (RFC 9112 section 4). */
export interface ResponseHead {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
  readonly minor: 0 | 1
  readonly fields: Fields
}

/** Why a head is refused: a closed word for the log. */
export type HeadFault =
  | FieldFault
  | 'not-http'
  | 'bad-request-line'
  | 'bad-status-line'
  | 'bad-version'
  | 'target-too-long'
  | 'head-too-long'

/** A head that cannot be read. `status` is the answer to a client; from a backend it is nonsense whatever it says. */
export interface BadHead {
  readonly kind: 'bad'
  readonly status: 400 | 414 | 431 | 505
  readonly why: HeadFault
}

const END = Buffer.from('\r\n\r\n')
const LONGEST_METHOD = 64

/** Where the head ends, behind its empty line; -1 while it is not all there. Looks at octets from `from` only. */
export function findHeadEnd(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(END, from)
  return at < 0 ? -1 : at + END.length
}

/**
 * Looks at a head that is not complete yet, so that what can never become one is answered at once and not after a timeout:
 * other protocols, bare line ends, endless lines. `from` is where the last look ended. `undefined`: it may go on.
 */
export function checkPartialRequest(bytes: Buffer, from: number, limits: HeadLimits): BadHead | undefined {
  if (bytes.length > limits.head) return bad('head-too-long')
  if (hasBareLf(bytes, from)) return bad('bare-line-end')
  const line = bytes.indexOf(LF)
  if (line >= 0 && line < from) return undefined
  if (line > 0) {
    const parsed = readRequestLine(bytes, limits)
    return 'kind' in parsed ? parsed : undefined
  }
  let at = 0
  while (at < bytes.length && at <= LONGEST_METHOD && TOKEN[bytes[at] ?? 0] !== 0) at += 1
  if (at > LONGEST_METHOD || (at < bytes.length && (bytes[at] !== SP || at === 0))) return bad('not-http')
  return bytes.length - at > limits.target + 16 ? bad('target-too-long') : undefined
}

/** The same for a backend's answer. */
export function checkPartialResponse(bytes: Buffer, from: number, limits: HeadLimits): BadHead | undefined {
  if (bytes.length > limits.head) return bad('head-too-long')
  if (hasBareLf(bytes, from)) return bad('bare-line-end')
  return 'HTTP/'.startsWith(bytes.toString('latin1', 0, Math.min(5, bytes.length))) ? undefined : bad('bad-status-line')
}

function hasBareLf(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) if (bytes[at - 1] !== CR) return true
  return false
}

/** Reads a whole request head; `bytes` ends with its empty line. The head keeps `bytes`. */
export function parseRequestHead(bytes: Buffer, limits: HeadLimits): RequestHead | BadHead {
  if (bytes.length > limits.head) return bad('head-too-long')
  const line = readRequestLine(bytes, limits)
  if ('kind' in line) return line
  const fields = readFields(bytes, line.end, bytes.length - 2, limits.fields)
  if (typeof fields === 'string') return bad(fields)
  return { kind: 'request', method: line.method, target: line.target, minor: line.minor, fields }
}

/** Reads a whole response head; `bytes` ends with its empty line. The head keeps `bytes`. */
export function parseResponseHead(bytes: Buffer, limits: HeadLimits): ResponseHead | BadHead {
  if (bytes.length > limits.head) return bad('head-too-long')
  const end = bytes.indexOf(CR)
  const line = bytes.toString('latin1', 0, end)
  const minor = versionOf(line)
  const status = Number(line.slice(9, 12))
  if (bytes[end + 1] !== LF) return bad('bare-line-end')
  if (minor === undefined || line.charCodeAt(8) !== SP || !/^[1-9]\d\d$/.test(line.slice(9, 12))) {
    return bad('bad-status-line')
  }
  // A missing space before an empty reason is common and harmless: the line is written anew for the client.
  if (line.length > 12 && line.charCodeAt(12) !== SP) return bad('bad-status-line')
  const reason = line.slice(13)
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(reason)) return bad('bad-status-line')
  const fields = readFields(bytes, end + 2, bytes.length - 2, limits.fields)
  if (typeof fields === 'string') return bad(fields)
  return { kind: 'response', status, reason, minor, fields }
}

/** The minor version of `HTTP/1.x` at the start of a text. */
function versionOf(text: string): 0 | 1 | undefined {
  if (text.startsWith('HTTP/1.1')) return 1
  return text.startsWith('HTTP/1.0') ? 0 : undefined
}

interface RequestLine {
  readonly method: string
  readonly target: string
  readonly minor: 0 | 1
  /** Where the fields begin. */
  readonly end: number
}

/** `method SP request-target SP HTTP-version CRLF`, with single spaces (RFC 9112 section 3). */
function readRequestLine(bytes: Buffer, limits: HeadLimits): RequestLine | BadHead {
  let at = 0
  while (TOKEN[bytes[at] ?? 0] !== 0) at += 1
  if (at === 0 || at > LONGEST_METHOD) return bad('not-http')
  if (bytes[at] !== SP) return bad(bytes[at] === LF ? 'bare-line-end' : 'not-http')
  const targetBegin = at + 1
  at = targetBegin
  for (let octet = bytes[at] ?? 0; octet > SP && octet < 0x7f; octet = bytes[at] ?? 0) at += 1
  if (at - targetBegin > limits.target) return bad('target-too-long')
  if (at === targetBegin || bytes[at] !== SP) return bad('bad-request-line')
  const version = bytes.toString('latin1', at + 1, at + 9)
  const minor = versionOf(version)
  if (minor === undefined) return bad(/^HTTP\/\d\.\d$/.test(version) ? 'bad-version' : 'not-http')
  if (bytes[at + 9] !== CR || bytes[at + 10] !== LF) {
    return bad(bytes[at + 9] === LF || bytes[at + 9] === CR ? 'bare-line-end' : 'bad-request-line')
  }
  const method = bytes.toString('latin1', 0, targetBegin - 1)
  return { method, target: bytes.toString('latin1', targetBegin, at), minor, end: at + 11 }
}

const STATUS: Partial<Record<HeadFault, BadHead['status']>> = {
  'target-too-long': 414,
  'head-too-long': 431,
  'too-many-fields': 431,
  'bad-version': 505,
}

function bad(why: HeadFault): BadHead {
  return { kind: 'bad', status: STATUS[why] ?? 400, why }
}
