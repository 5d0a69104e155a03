// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'

/** An answer of our own. */
export interface Reply {
  readonly status: number
  /** Instead of the usual one. */
  readonly phrase?: string
  /** Field lines of their own, each with its CRLF; empty for none. */
  readonly fields: string
  /** Any text, sent as UTF-8, or octets; empty for none. */
  readonly body: string | Buffer
  /** With its charset; plain text when absent. */
  readonly contentType?: string
  /** The failure that it tells, where it is one. */
  readonly reason?: FailureReason
}

/** Phrases of the statuses that we give ourselves (RFC 9110 section 15, RFC 6585; 44x and 45x are what clients of Exchange know). */
const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  302: 'Found',
  303: 'See Other',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  440: 'Login Time-out',
  451: 'Redirect',
  456: 'Blocked',
  457: 'Expired Password',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

/** What each failure says on this wire. 401 gets the directory's challenges; `retrySeconds` becomes Retry-After. */
const FAILURES: Readonly<Record<FailureReason, { readonly status: number; readonly retrySeconds?: number }>> = {
  'invalid-credentials': { status: 401 },
  'unauthorized-identity': { status: 403 },
  'password-expired': { status: 401 },
  'account-disabled': { status: 403 },
  'protocol-disabled': { status: 403 },
  'network-refused': { status: 403 },
  'encryption-required': { status: 403 },
  'not-authenticated': { status: 401 },
  'mechanism-unavailable': { status: 401 },
  malformed: { status: 400 },
  aborted: { status: 400 },
  'too-long': { status: 413 },
  throttled: { status: 429, retrySeconds: 30 },
  'lookup-unavailable': { status: 503, retrySeconds: 10 },
  'backend-unavailable': { status: 503, retrySeconds: 10 },
  'no-mailbox': { status: 404 },
  draining: { status: 503, retrySeconds: 5 },
  'server-bug': { status: 500 },
}

/** A bare status with its phrase as the body. */
export function statusReply(status: number, fields = ''): Reply {
  return { status, fields, body: `${status} ${phraseOf(status)}\n` }
}

/** Failures that a sign-in mends. */
export type ChallengeReason = Extract<
  FailureReason,
  'invalid-credentials' | 'password-expired' | 'not-authenticated' | 'mechanism-unavailable'
>

export function isChallenge(reason: FailureReason): reason is ChallengeReason {
  return FAILURES[reason].status === 401
}

/** What the answer to a failure holds besides its status. */
export interface FailureFacts {
  /** Field lines, each with its CRLF: for 401 the challenges. */
  readonly fields?: string
  /** Lengthens Retry-After. */
  readonly waitMs?: number
}

/** The reply to a failure. */
export function failureReply(reason: FailureReason, { fields = '', waitMs = 0 }: FailureFacts = {}): Reply {
  const { status, retrySeconds } = FAILURES[reason]
  const retry = retrySeconds === undefined ? '' : `Retry-After: ${Math.max(retrySeconds, Math.ceil(waitMs / 1000))}\r\n`
  return { ...statusReply(status, fields + retry), reason }
}

/** The page that balancers read: they look for `200 OK`, some for the name of the server behind it. */
export function healthReply(healthy: boolean, hostname: string): Reply {
  const fields = 'Cache-Control: no-store\r\n'
  if (!healthy) return statusReply(503, fields)
  const name = hostname.replace(/[^\w.:-]/g, '')
  return { status: 200, fields, body: `200 OK<br/>${name}\n`, contentType: 'text/html; charset=utf-8' }
}

/** Sends the client elsewhere. The location is ours, never the client's. */
export function redirectReply(status: 302 | 307 | 308, location: string): Reply {
  return statusReply(status, `Location: ${location}\r\n`)
}

export function phraseOf(status: number): string {
  return PHRASES[status] ?? ''
}

/** How the connection goes on after a reply. */
export interface ReplyFrame {
  readonly persist: boolean
  /** A client of HTTP/1.0 has to be told that the connection stays. */
  readonly minor: 0 | 1
  /** HEAD gets the head alone (RFC 9110 section 9.3.2). */
  readonly head: boolean
  /** For Date (RFC 9110 section 6.6.1); left out where there is no clock. */
  readonly wallNow: number | undefined
}

/** The whole reply as latin1 text, each character an octet. */
export function formatReply(reply: Reply, frame: ReplyFrame): string {
  const date = frame.wallNow === undefined ? '' : `Date: ${new Date(frame.wallNow).toUTCString()}\r\n`
  const body = contentOf(reply).toString('latin1')
  const content = `Content-Type: ${reply.contentType ?? 'text/plain'}\r\nContent-Length: ${body.length}\r\n`
  const start = `HTTP/1.1 ${reply.status} ${reply.phrase ?? phraseOf(reply.status)}\r\n${date}`
  const connection = connectionLine(frame.persist, frame.minor)
  return `${start}${reply.fields}${content}${connection}\r\n${frame.head ? '' : body}`
}

/** The octets of a reply's body. */
export function contentOf({ body }: Reply): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : body
}

/** `Connection: close`, `keep-alive` for a client of HTTP/1.0 that stays, or nothing (RFC 9112 section 9.3). */
export function connectionLine(persist: boolean, minor: 0 | 1): string {
  if (!persist) return 'Connection: close\r\n'
  return minor === 0 ? 'Connection: keep-alive\r\n' : ''
}
