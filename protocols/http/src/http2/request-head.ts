// SPDX-License-Identifier: MIT
import { type BadHead, type HeadLimits, parseRequestHead, type RequestHead } from '../codec/head.js'

/** A field section that HTTP/2 itself forbids: a closed word for the log (RFC 9113 section 8.1.1). */
export interface Malformed {
  readonly kind: 'bad'
  readonly status: 400
  readonly why: 'bad-pseudo-field' | 'bad-field' | 'connection-field' | 'two-hosts' | 'content-behind-end'
}

/** What HTTP/1.1 says about a connection has no place in HTTP/2 (RFC 9113 section 8.2.2). */
const CONNECTION_FIELDS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/
const NOT_IN_LINE = /[\0\r\n]/
const NOT_IN_TARGET = /[\0-\x20\x7f-\xff]/

interface Read {
  readonly pseudo: Map<string, string>
  lines: string
  cookies: string
  host: string | undefined
  length: string | undefined
}

/**
 * Reads the field section of a request as the head of the same request in HTTP/1.1, so that both pass the same strict codec and
 * look the same to everybody behind it. `raw` holds names and values in turn. `ended`: no content follows.
 */
export function readRequestHead(
  raw: readonly string[],
  ended: boolean,
  limits: HeadLimits,
): RequestHead | BadHead | Malformed {
  const read: Read = { pseudo: new Map(), lines: '', cookies: '', host: undefined, length: undefined }
  for (let index = 0; index < raw.length; index += 2) {
    const why = takeField(read, raw[index] ?? '', raw[index + 1] ?? '')
    if (why !== undefined) return malformed(why)
  }
  const { method = '', path, authority = read.host } = Object.fromEntries(read.pseudo)
  if (read.pseudo.get('scheme') !== 'https' && method !== 'CONNECT') return malformed('bad-pseudo-field')
  // The absolute form is for proxies of HTTP/1.1: here each part has a field of its own (RFC 9113 section 8.3.1).
  const target = path ?? authority ?? ''
  if (!NAME.test(method.toLowerCase()) || target === '' || NOT_IN_TARGET.test(target))
    return malformed('bad-pseudo-field')
  if (path !== undefined && path !== '*' && !path.startsWith('/')) return malformed('bad-pseudo-field')
  if (read.host !== undefined && read.host.toLowerCase() !== authority?.toLowerCase()) return malformed('two-hosts')
  if (ended && read.length !== undefined && !/^0+$/.test(read.length)) return malformed('content-behind-end')
  return parseRequestHead(Buffer.from(headText({ method, target, authority }, read, ended), 'latin1'), limits)
}

/** A field that is not allowed says why. */
function takeField(read: Read, name: string, value: string): Malformed['why'] | undefined {
  if (NOT_IN_LINE.test(value)) return 'bad-field'
  if (name.startsWith(':')) {
    const known = name.slice(1)
    if (read.lines !== '' || read.pseudo.has(known) || !/^(?:method|scheme|authority|path)$/.test(known)) {
      return 'bad-pseudo-field'
    }
    read.pseudo.set(known, value)
    return undefined
  }
  if (!NAME.test(name)) return 'bad-field'
  if (CONNECTION_FIELDS.has(name) || (name === 'te' && value.toLowerCase() !== 'trailers')) return 'connection-field'
  if (name === 'host') {
    if (read.host !== undefined) return 'two-hosts'
    read.host = value
    return undefined
  }
  // Cut into crumbs for better compression, to be put together for whoever does not know HTTP/2 (RFC 9113 section 8.2.3).
  if (name === 'cookie') read.cookies += read.cookies === '' ? value : `; ${value}`
  else read.lines += `${name}: ${value}\r\n`
  if (name === 'content-length') read.length = value
  return undefined
}

function headText(
  { method, target, authority }: { method: string; target: string; authority: string | undefined },
  { lines, cookies, length }: Read,
  ended: boolean,
): string {
  const host = authority === undefined ? '' : `host: ${authority}\r\n`
  const cookie = cookies === '' ? '' : `cookie: ${cookies}\r\n`
  const framing = ended || length !== undefined ? '' : 'transfer-encoding: chunked\r\n'
  return `${method} ${target} HTTP/1.1\r\n${host}${lines}${cookie}${framing}\r\n`
}

function malformed(why: Malformed['why']): Malformed {
  return { kind: 'bad', status: 400, why }
}
