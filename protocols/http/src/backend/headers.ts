// SPDX-License-Identifier: MIT
import { Field, type FieldId, type Fields } from '../codec/fields.js'
import { formatForwarded } from '../codec/forwarded.js'
import type { Framing } from '../codec/framing.js'
import type { ResponseHead } from '../codec/head.js'
import { locationForClient, type View } from '../directory/mapping.js'
import { cookieForClient, cookiesForBackend, setsOurCookie } from './cookies.js'

/** What the Connection field asks (RFC 9110 section 7.6.1). */
export interface ConnectionOptions {
  readonly close: boolean
  readonly keepAlive: boolean
  /** Lower-case names of fields that end here; undefined when none is named. */
  readonly listed: ReadonlySet<string> | undefined
}

const NONE: readonly string[] = []
const NO_OPTIONS: ConnectionOptions = { close: false, keepAlive: false, listed: undefined }

/** Reads all Connection fields. */
export function connectionOptions(fields: Fields): ConnectionOptions {
  const text = fields.all(Field.connection)?.toLowerCase()
  if (text === undefined) return NO_OPTIONS
  let close = false
  let keepAlive = false
  let listed: Set<string> | undefined
  for (const part of text.split(',')) {
    const option = part.trim()
    if (option === 'close') close = true
    else if (option === 'keep-alive') keepAlive = true
    else if (option !== '') listed = (listed ?? new Set()).add(option)
  }
  return { close, keepAlive, listed }
}

/** Whether the peer will use the connection again (RFC 9112 section 9.3). */
export function persists(minor: 0 | 1, options: ConnectionOptions): boolean {
  return !options.close && (minor === 1 || options.keepAlive)
}

/** By field id: 1 where a field never passes, because it ends here or because we write it ourselves. */
function dropTable(...ids: readonly FieldId[]): Uint8Array {
  const table = new Uint8Array(32)
  for (const id of ids) table[id] = 1
  return table
}

/** What belongs to one connection or message, and what front ends and backends say to each other. */
const DROPS = [
  ...[
    Field.hop,
    Field.keepAlive,
    Field.connection,
    Field.upgrade,
    Field.transferEncoding,
    Field.contentLength,
    Field.authorization,
  ],
  ...[Field.steering, Field.forwarded, Field.forwardedFor, Field.forwardedProto, Field.forwardedHost],
]
const NAMED_ANEW = [Field.host, Field.destination, Field.condition]
const REQUEST_DROPS = dropTable(...DROPS, Field.strange, ...NAMED_ANEW, Field.cookie, Field.expect)
const PROXY_DROPS = REQUEST_DROPS.slice()
for (const id of [Field.forwardedProto, Field.forwardedHost]) PROXY_DROPS[id] = 0
const RESPONSE_DROPS = dropTable(...DROPS, Field.location, Field.contentLocation, Field.setCookie)

export type HttpVersion = '1.0' | '1.1' | '2'

/** A request as the backend is to see it. */
export interface OutgoingRequest {
  readonly method: string
  readonly target: string
  readonly host: string
  /** The version of HTTP in which it came, for Via (RFC 9110 section 7.6.3). */
  readonly version: HttpVersion
  readonly fields: Fields
  readonly options: ConnectionOptions
  readonly body: Framing
  readonly expectsContinue: boolean
  /** Protocols that the connection may change to; none for most. */
  readonly upgrades: readonly string[]
  /** The field that says who the user is. */
  readonly identity: { readonly name: string; readonly value: string } | undefined
  /** Lower-case names that the site gave a meaning to (identity, mount): never taken from a client. */
  readonly reserved: readonly string[]
  /** Lines that name other resources, each with its CRLF. */
  readonly named: string
  /** Lines that tell the backend how clients see it, each with its CRLF. */
  readonly told: string
  /** `clients`: through whom it came, the farthest first. */
  readonly forwarded: {
    readonly clients: readonly string[]
    readonly proto: 'http' | 'https'
    readonly host: string | undefined
  }
  /** The peer is one of the site's proxies: what it said of scheme and host stays. */
  readonly isProxy: boolean
}

/** Writes the head of a request to a backend as latin1 text. */
export function formatRequest(request: OutgoingRequest): string {
  const { fields, forwarded, isProxy, identity } = request
  const passed = passFields(fields, isProxy ? PROXY_DROPS : REQUEST_DROPS, request.options.listed, request.reserved)
  const { clients, proto, host } = forwarded
  let own = `${cookieLine(request)}${framingLine(request.body)}Via: ${request.version} portico\r\n`
  own += `Forwarded: ${formatForwarded(clients, proto, host)}\r\nX-Forwarded-For: ${clients.join(', ')}\r\n`
  if (!isProxy || fields.countOf(Field.forwardedProto) === 0) own += `X-Forwarded-Proto: ${proto}\r\n`
  if (host !== undefined && (!isProxy || fields.countOf(Field.forwardedHost) === 0)) {
    own += `X-Forwarded-Host: ${host}\r\n`
  }
  own += request.told + request.named
  if (identity !== undefined) own += `${identity.name}: ${identity.value}\r\n`
  if (request.expectsContinue) own += 'Expect: 100-continue\r\n'
  own += upgradeLines(request.upgrades)
  return `${request.method} ${request.target} HTTP/1.1\r\nHost: ${request.host}\r\n${passed}${own}\r\n`
}

/** The client's cookies as one field, without those that are not for backends. */
function cookieLine({ fields, options }: OutgoingRequest): string {
  if (fields.countOf(Field.cookie) === 0 || options.listed?.has('cookie') === true) return ''
  let pairs = ''
  for (let index = 0; index < fields.count; index += 1) {
    if (fields.ids[index] !== Field.cookie) continue
    const kept = cookiesForBackend(fields.value(index))
    if (kept !== undefined) pairs = pairs === '' ? kept : `${pairs}; ${kept}`
  }
  return pairs === '' ? '' : `Cookie: ${pairs}\r\n`
}

/** A response as the client is to see it. */
export interface OutgoingResponse {
  readonly head: ResponseHead
  readonly options: ConnectionOptions
  /** Lines about the content and the connection, each with its CRLF. */
  readonly own: string
  /** How what the backend says is the client's to see. */
  readonly view: View
}

/** Writes the head of a response to the client as latin1 text. */
export function formatResponse({ head, options, own, view }: OutgoingResponse): string {
  const { fields } = head
  const passed = passFields(fields, RESPONSE_DROPS, options.listed, NONE)
  const location = fields.first(Field.location)
  const content = fields.first(Field.contentLocation)
  let mapped = location === undefined ? '' : `Location: ${locationForClient(view, location)}\r\n`
  if (content !== undefined) mapped += `Content-Location: ${locationForClient(view, content)}\r\n`
  mapped += setCookieLines(fields, view)
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${passed}${mapped}${own}\r\n`
}

/** The cookies that a backend sets, in the client's view, without those that would stand in the place of ours. */
function setCookieLines(fields: Fields, view: View): string {
  let lines = ''
  for (let index = 0; index < fields.count; index += 1) {
    if (fields.ids[index] !== Field.setCookie) continue
    const value = fields.value(index)
    if (!setsOurCookie(value)) lines += `Set-Cookie: ${cookieForClient(view, value)}\r\n`
  }
  return lines
}

/** The fields that ask for, or tell of, another protocol on this connection (RFC 9110 section 7.8). */
export function upgradeLines(protocols: readonly string[]): string {
  return protocols.length === 0 ? '' : `Connection: Upgrade\r\nUpgrade: ${protocols.join(', ')}\r\n`
}

/** How the content that follows is framed. */
export function framingLine(framing: Framing): string {
  if (framing.kind === 'length') return `Content-Length: ${framing.length}\r\n`
  return framing.kind === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : ''
}

/** The fields that may pass, as they came. Neighbours that pass are cut out in one piece. */
function passFields(
  fields: Fields,
  drops: Uint8Array,
  listed: ReadonlySet<string> | undefined,
  reserved: readonly string[],
): string {
  let text = ''
  let runStart = -1
  const end = fields.bytes.length - 2
  for (let index = 0; index < fields.count; index += 1) {
    const id = fields.ids[index] ?? 0
    const passes = drops[id] === 0 && !isNamedIn(fields, index, listed, reserved)
    if (passes && runStart < 0) runStart = fields.lineStart(index)
    if (passes || runStart < 0) continue
    text += fields.bytes.toString('latin1', runStart, fields.lineStart(index))
    runStart = -1
  }
  return runStart < 0 ? text : text + fields.bytes.toString('latin1', runStart, end)
}

function isNamedIn(
  fields: Fields,
  index: number,
  listed: ReadonlySet<string> | undefined,
  reserved: readonly string[],
): boolean {
  for (const name of reserved) if (fields.isNamed(index, name)) return true
  return listed?.has(fields.name(index).toLowerCase()) ?? false
}

/** How many proxies of this kind a request has passed, by its Via fields (RFC 9110 section 7.6.3). */
export function hopsOf(fields: Fields): number {
  const via = fields.all(Field.via)
  return via === undefined ? 0 : via.split(',').filter((part) => /^\s*\S+\s+portico\b/i.test(part)).length
}
