// SPDX-License-Identifier: MIT
import { COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from './chars.js'

/**
 * The fields that this program knows by name. `strange` stands for every name that holds more than letters, digits and hyphens:
 * gateways fold such names onto others (`X_Remote_User`), so they do not pass. `steering` stands for the names by which front ends
 * and backends speak to each other, and which pass in neither direction. `hop` ends with the connection (RFC 9110 section 7.6.1).
 */
export const Field = {
  other: 0,
  strange: 1,
  steering: 2,
  hop: 3,
  host: 4,
  connection: 5,
  contentLength: 6,
  transferEncoding: 7,
  authorization: 8,
  expect: 9,
  forwarded: 10,
  forwardedFor: 11,
  forwardedProto: 12,
  forwardedHost: 13,
  via: 14,
  destination: 15,
  location: 16,
  contentLocation: 17,
  cookie: 18,
  setCookie: 19,
  upgrade: 20,
  /** If (RFC 4918 section 10.4). */
  condition: 21,
  keepAlive: 22,
} as const

export type FieldId = (typeof Field)[keyof typeof Field]

/**
 * Names by which a server is told who the user is, which path is meant, or from where and how the client came; and names by which
 * it tells its front end what to do next, or tells the world which server it is. `*` stands for anything.
 */
const STEERING = [
  // Who the user is.
  ...[
    'remote-*',
    'x-remote-*',
    'x-webobjects-*',
    'x-webauth-*',
    'x-authenticated-*',
    'x-auth-request-*',
    'x-authentik-*',
  ],
  ...[
    'x-auth-user',
    'x-auth-username',
    'x-auth-email',
    'x-user',
    'x-user-email',
    'x-username',
    'x-proxy-user',
    'x-sso-*',
  ],
  ...['x-goog-authenticated-user-*', 'x-amzn-oidc-*', 'x-ms-client-principal*', 'x-ms-token-*', 'x-ms-*identity'],
  ...[
    'x-pomerium-*',
    'tailscale-user-*',
    'x-commonaccesstoken',
    'x-ssl-*',
    'ssl-*',
    'x-client-cert*',
    'x-tls-client-*',
  ],
  // Which server or path is meant.
  ...['x-backend*', 'x-beresource', 'x-beserver*', 'x-anonresource*', 'x-targetbeserver', 'x-calculated*'],
  ...['x-original-*', 'x-rewrite-url', 'x-script-name', 'x-envoy-*'],
  // From where and how the client came.
  ...[
    'x-forwarded-*',
    'x-real-ip',
    'client-ip',
    'true-client-ip',
    'x-client-ip',
    'x-cluster-client-ip',
    'fastly-client-ip',
  ],
  ...['cf-connecting-ip*', 'x-originating-ip', 'x-url-scheme', 'x-scheme', 'front-end-https'],
  // What the front end is to do: send a file of its own, or send the client to another port.
  ...['x-accel-*', 'x-sendfile', 'x-lighttpd-send-file', 'x-litespeed-location', 'x-reproxy-*', 'alt-svc', 'alt-used'],
  // Which server it is.
  ...['x-feserver', 'x-feproxyinfo', 'x-feefzinfo', 'x-diaginfo', 'x-served-by'],
  // Becomes HTTP_PROXY in the environment of a CGI program.
  'proxy',
]

const HOP = ['proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'http2-settings']

interface Known {
  readonly name: Buffer
  readonly id: FieldId
}

/** Known names by their length: most fields find an empty list or one candidate. */
const BY_LENGTH: Known[][] = Array.from({ length: 64 }, () => [])

function know(name: string, id: FieldId): void {
  BY_LENGTH[name.length]?.push({ name: Buffer.from(name), id })
}

interface Pattern {
  readonly prefix: Buffer
  readonly suffix: Buffer
}

/** Patterns by the first octet of the names that they fit. */
const PATTERNS: Pattern[][] = Array.from({ length: 256 }, () => [])

for (const name of STEERING) {
  const [prefix = '', suffix] = name.split('*')
  if (suffix === undefined) know(name, Field.steering)
  else PATTERNS[prefix.charCodeAt(0)]?.push({ prefix: Buffer.from(prefix), suffix: Buffer.from(suffix) })
}
for (const name of HOP) know(name, Field.hop)
know('host', Field.host)
know('connection', Field.connection)
know('content-length', Field.contentLength)
know('transfer-encoding', Field.transferEncoding)
know('authorization', Field.authorization)
know('expect', Field.expect)
know('forwarded', Field.forwarded)
know('x-forwarded-for', Field.forwardedFor)
know('x-forwarded-proto', Field.forwardedProto)
know('x-forwarded-host', Field.forwardedHost)
know('via', Field.via)
know('destination', Field.destination)
know('location', Field.location)
know('content-location', Field.contentLocation)
know('cookie', Field.cookie)
know('set-cookie', Field.setCookie)
know('upgrade', Field.upgrade)
know('if', Field.condition)
know('keep-alive', Field.keepAlive)

/** The fields of one head: places in its octets, nothing copied. */
export class Fields {
  readonly bytes: Buffer
  /** Four numbers per field: begin and end of the name, begin and end of the value. */
  readonly spans: number[] = []
  readonly ids: FieldId[] = []

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get count(): number {
    return this.ids.length
  }

  /** How many fields have this id. */
  countOf(id: FieldId): number {
    let found = 0
    for (const each of this.ids) if (each === id) found += 1
    return found
  }

  /** Value of the first field with this id, as latin1. */
  first(id: FieldId): string | undefined {
    const index = this.ids.indexOf(id)
    return index < 0 ? undefined : this.value(index)
  }

  /** All values of fields with this id, joined as one list (RFC 9110 section 5.3). */
  all(id: FieldId): string | undefined {
    let joined: string | undefined
    for (let index = 0; index < this.ids.length; index += 1) {
      if (this.ids[index] !== id) continue
      joined = joined === undefined ? this.value(index) : `${joined}, ${this.value(index)}`
    }
    return joined
  }

  name(index: number): string {
    return this.bytes.toString('latin1', this.spans[index * 4], this.spans[index * 4 + 1])
  }

  value(index: number): string {
    return this.bytes.toString('latin1', this.spans[index * 4 + 2], this.spans[index * 4 + 3])
  }

  /** Where the field's line begins, and where it ends behind its CRLF. */
  lineStart(index: number): number {
    return this.spans[index * 4] ?? 0
  }

  /** Value of the first field of this name, which is in lower case; for names that have no id. */
  named(lower: string): string | undefined {
    const index = this.#indexOf(lower, 0)
    return index < 0 ? undefined : this.value(index)
  }

  /** Value of the field of this name if there is no other: two that are meant to be one may mean two things. */
  only(lower: string): string | undefined {
    const index = this.#indexOf(lower, 0)
    return index < 0 || this.#indexOf(lower, index + 1) >= 0 ? undefined : this.value(index)
  }

  #indexOf(lower: string, from: number): number {
    for (let index = from; index < this.count; index += 1) if (this.isNamed(index, lower)) return index
    return -1
  }

  /** Whether the field's name is this one, which is in lower case. */
  isNamed(index: number, lower: string): boolean {
    const begin = this.spans[index * 4] ?? 0
    return (this.spans[index * 4 + 1] ?? 0) - begin === lower.length && this.name(index).toLowerCase() === lower
  }
}

/** Why a field section is refused. */
export type FieldFault =
  | 'bare-line-end'
  | 'folded-line'
  | 'bad-field-name'
  | 'space-before-colon'
  | 'bad-field-value'
  | 'too-many-fields'

/**
 * Reads field lines (RFC 9112 section 5) from `at` up to `end`, where the empty line begins. Strict: no folding (section 5.2), no
 * white space before the colon (section 5.1), no bare CR or LF (section 2.2), no control characters (RFC 9110 section 5.5).
 */
export function readFields(bytes: Buffer, at: number, end: number, most: number): Fields | FieldFault {
  const fields = new Fields(bytes)
  let next = at
  while (next < end) {
    if (fields.ids.length === most) return 'too-many-fields'
    const behind = readLine(fields, next)
    if (typeof behind === 'string') return behind
    next = behind
  }
  return fields
}

/** One field line; returns where the next begins. */
function readLine(fields: Fields, begin: number): number | FieldFault {
  const { bytes } = fields
  let at = begin
  let kinds = 0
  for (;;) {
    const kind = TOKEN[bytes[at] ?? 0] ?? 0
    if (kind === 0) break
    kinds |= kind
    at += 1
  }
  if (bytes[at] !== COLON || at === begin) return nameFault(bytes, begin, at)
  const nameEnd = at
  at += 1
  while (bytes[at] === SP || bytes[at] === HTAB) at += 1
  const valueBegin = at
  while (VALUE[bytes[at] ?? 0] === 1) at += 1
  if (bytes[at] !== CR || bytes[at + 1] !== LF) {
    return bytes[at] === LF || bytes[at] === CR ? 'bare-line-end' : 'bad-field-value'
  }
  let valueEnd = at
  while (valueEnd > valueBegin && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd -= 1
  fields.spans.push(begin, nameEnd, valueBegin, valueEnd)
  fields.ids.push(kinds > 1 ? Field.strange : identify(bytes, begin, nameEnd))
  return at + 2
}

function nameFault(bytes: Buffer, begin: number, at: number): FieldFault {
  const octet = bytes[at]
  if (octet === LF || octet === CR) return 'bare-line-end'
  if (octet !== SP && octet !== HTAB) return 'bad-field-name'
  return at === begin ? 'folded-line' : 'space-before-colon'
}

function identify(bytes: Buffer, begin: number, end: number): FieldId {
  for (const { name, id } of BY_LENGTH[end - begin] ?? []) if (isAt(bytes, begin, name)) return id
  for (const { prefix, suffix } of PATTERNS[(bytes[begin] ?? 0) | 0x20] ?? []) {
    const fits = end - begin >= prefix.length + suffix.length && isAt(bytes, begin, prefix)
    if (fits && isAt(bytes, end - suffix.length, suffix)) return Field.steering
  }
  return Field.other
}

/** Whether a text in lower case stands there, in any case. Names come here that hold only letters, digits and hyphens. */
function isAt(bytes: Buffer, at: number, lower: Buffer): boolean {
  for (let index = 0; index < lower.length; index += 1) {
    if (((bytes[at + index] ?? 0) | 0x20) !== lower[index]) return false
  }
  return true
}
