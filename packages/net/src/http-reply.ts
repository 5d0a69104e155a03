// SPDX-License-Identifier: MIT

/** A reply's status and headers; header names in lower case, values as octets in Latin-1. */
export interface HttpReplyHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
}

const MOST_HEAD = 16_384
const MOST_BODY = 65_536
const MOST_INTERIM = 8

type Body =
  | { readonly kind: 'counted'; left: number }
  /** `line`: of a chunk's size, behind its data, or of the trailer, as far as it has come. */
  | { readonly kind: 'chunked'; part: 'size' | 'data' | 'data-end' | 'trailer'; left: number; line: string }
  | { readonly kind: 'until-close' }

/**
 * Reads one reply to a GET or POST (RFC 9112), strictly, in bounded memory. The head is kept; the body too, where there is room for
 * it, else it is only counted, because the connection can serve again when it is over. Pure.
 */
export class HttpReplyReader {
  /** Something of it has come. */
  begun = false
  /** Known once it has come whole. */
  head: HttpReplyHead | undefined
  /** The reply has come to its end. */
  done = false
  /** It cannot be read, or is too long: nothing more is to be read from this connection. */
  fault: string | undefined
  #persistent = false
  #text = ''
  #interim = 0
  #body: Body = { kind: 'until-close' }
  #bodySize = 0
  #kept = ''
  readonly #room: number

  /** `room`: octets of the body that are kept; more are a fault. 0 keeps none. */
  constructor(room: number) {
    this.#room = room
  }

  /** What was kept of the body: one character for each octet. */
  get body(): string {
    return this.#kept
  }

  /** The connection can carry another question. */
  get reusable(): boolean {
    return this.done && this.#persistent && this.fault === undefined
  }

  /** The connection has ended: a body without a length is whole (RFC 9112 section 6.3). */
  close(): void {
    if (this.head !== undefined && this.fault === undefined && this.#body.kind === 'until-close') this.done = true
  }

  push(view: Buffer): void {
    let at = 0
    this.begun ||= view.length > 0
    if (this.head === undefined) at = this.#takeHead(view)
    if (this.head !== undefined && this.fault === undefined) this.#takeBody(view, at)
  }

  /** Where the body begins in `view`, once the head is whole. */
  #takeHead(view: Buffer): number {
    const before = this.#text.length
    let text = this.#text + view.toString('latin1')
    let begin = 0
    for (;;) {
      const end = text.indexOf('\r\n\r\n', begin)
      if (end < 0 ? text.length - begin > MOST_HEAD : end - begin > MOST_HEAD)
        return this.#fail('a head that is too long')
      if (end < 0) break
      this.#readHead(text.slice(begin, end))
      begin = end + 4
      if (this.fault !== undefined || this.head !== undefined) return begin - before
    }
    text = begin === 0 ? text : text.slice(begin)
    if (!'HTTP/1.'.startsWith(text.slice(0, 7))) return this.#fail('no HTTP')
    this.#text = text
    return view.length
  }

  #readHead(text: string): void {
    const [first = '', ...lines] = text.split('\r\n')
    const line = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\r\n\0]*)?$/.exec(first)
    if (line === null) return void this.#fail('no HTTP')
    const headers = readHeaders(lines)
    if (headers === undefined) return void this.#fail('a malformed head')
    const status = Number(line[2])
    if (status < 200) {
      this.#interim += 1
      if (status === 101 || this.#interim > MOST_INTERIM) this.#fail('a status nobody asked for')
      return
    }
    const body = bodyOf(status, headers)
    if (body === undefined) return void this.#fail('a body without a certain length')
    this.#body = body
    this.#persistent = persists(line[1] === '1', headers['connection'])
    this.head = { status, headers }
    this.#text = ''
  }

  #takeBody(view: Buffer, begin: number): void {
    const body = this.#body
    this.#bodySize += view.length - begin
    if (this.#bodySize > Math.max(MOST_BODY, this.#room)) return void this.#fail('a body that is too long')
    let at = begin
    if (body.kind === 'chunked') {
      while (at < view.length && !this.done && this.fault === undefined) at = this.#takeChunk(body, view, at)
    } else if (body.kind === 'counted') {
      const taken = Math.min(body.left, view.length - at)
      body.left -= taken
      this.#keep(view, at, at + taken)
      at += taken
      this.done = body.left === 0
    } else {
      this.#keep(view, at, view.length)
      at = view.length
    }
    // Nothing was asked yet that this could answer.
    if (this.done && at < view.length) this.#fail('more than a reply')
  }

  #takeChunk(body: Extract<Body, { kind: 'chunked' }>, view: Buffer, at: number): number {
    if (body.part === 'data') {
      const taken = Math.min(body.left, view.length - at)
      body.left -= taken
      this.#keep(view, at, at + taken)
      if (body.left === 0) body.part = 'data-end'
      return at + taken
    }
    const end = view.indexOf('\n', at)
    body.line += view.toString('latin1', at, end < 0 ? view.length : end)
    if (end < 0) return view.length
    if (!body.line.endsWith('\r')) return this.#fail('a malformed chunk')
    const line = body.line.slice(0, -1)
    body.line = ''
    this.#takeChunkLine(body, line)
    return end + 1
  }

  #takeChunkLine(body: Extract<Body, { kind: 'chunked' }>, line: string): void {
    if (body.part === 'trailer') this.done = line === ''
    else if (body.part === 'data-end') {
      if (line !== '') this.#fail('a malformed chunk')
      body.part = 'size'
    } else {
      const size = /^([0-9A-Fa-f]{1,8})[\t ]*(?:;.*)?$/.exec(line)
      if (size === null) this.#fail('a malformed chunk')
      body.left = Number.parseInt(size?.[1] ?? '0', 16)
      body.part = body.left === 0 ? 'trailer' : 'data'
    }
  }

  #keep(view: Buffer, from: number, to: number): void {
    if (this.#room > 0) this.#kept += view.toString('latin1', from, to)
  }

  #fail(fault: string): number {
    this.fault = fault
    return 0
  }
}

/** `undefined` for a line that is none. Repeated fields are joined (RFC 9110 section 5.3). */
function readHeaders(lines: readonly string[]): Record<string, string> | undefined {
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line)
    if (field === null) return undefined
    const [, name = '', value = ''] = field
    const key = name.toLowerCase()
    const before = headers[key]
    headers[key] = before === undefined ? value.trimEnd() : `${before}, ${value.trimEnd()}`
  }
  return headers
}

/** RFC 9112 section 6.3; `undefined` where two servers could differ. */
function bodyOf(status: number, headers: Readonly<Record<string, string | undefined>>): Body | undefined {
  if (status === 204 || status === 304) return { kind: 'counted', left: 0 }
  const length = headers['content-length']
  const coding = headers['transfer-encoding']
  if (coding !== undefined) {
    if (length !== undefined || coding.toLowerCase() !== 'chunked') return undefined
    return { kind: 'chunked', part: 'size', left: 0, line: '' }
  }
  if (length === undefined) return { kind: 'until-close' }
  return /^\d{1,9}$/.test(length) ? { kind: 'counted', left: Number(length) } : undefined
}

function persists(isNewer: boolean, connection = ''): boolean {
  const options = connection.toLowerCase()
  if (/(?:^|[\t ,])close(?:$|[\t ,])/.test(options)) return false
  return isNewer || /(?:^|[\t ,])keep-alive(?:$|[\t ,])/.test(options)
}
