// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'
import { standardCipherName } from './cipher-name.js'

/** What a Received field tells (RFC 5321 section 4.4). Texts have one character for each octet. */
export interface TraceFacts {
  /** What the client called itself. */
  readonly helo: string
  readonly client: Endpoint
  readonly hostname: string
  readonly extended: boolean
  readonly encrypted: boolean
  readonly authenticated: boolean
  /** The message may hold UTF-8 in its header (RFC 6531). */
  readonly international: boolean
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The client spoke LMTP (RFC 2033). */
  readonly lmtp?: boolean
  /** The cipher suite of the client's TLS, as OpenSSL or the registry calls it. */
  readonly cipher?: string | undefined
  /** The only recipient. With several it must be absent, for they are not to learn of each other (RFC 5321 section 7.2). */
  readonly recipient?: string | undefined
}

const NAME = /^[A-Za-z0-9.:_[\]-]+$/
const STRANGE = /[^A-Za-z0-9.:_[\]-]/g
const STRANGE_TO_UTF8 = /[^A-Za-z0-9.:_[\]\x80-\xff-]/g
const WIDTH = 78
const LONGEST_NAME = 255
const LONGEST_PATH = 320

/** The Received field that goes in front of a message, with its CRLF. Whatever the facts are, it stays one field. */
export function receivedField(facts: TraceFacts): string {
  const suite = standardCipherName(facts.cipher)
  const recipient = clauseOf('for', facts.recipient, facts.international)
  const clauses = [
    `Received: from ${nameOf(facts.helo, facts.international)} (${literal(facts.client)})`,
    `by ${nameOf(facts.hostname, false)} with ${protocolOf(facts)} id ${nameOf(facts.id, false)}`,
    ...(recipient === undefined ? [] : [recipient]),
    // RFC 8314 section 4.3.
    ...(suite === undefined ? [] : [`tls ${suite}`]),
  ]
  return `${clauses.map(folded).join('\r\n\t')};\r\n\t${rfc5322Date(facts.at)}\r\n`
}

/** The value of the `with` clause (RFC 3848, RFC 6531 section 4.3). */
export function protocolOf(
  facts: Pick<TraceFacts, 'extended' | 'encrypted' | 'authenticated' | 'international' | 'lmtp'>,
): string {
  if (!facts.extended && facts.lmtp !== true) return 'SMTP'
  const plain = facts.lmtp === true ? 'LMTP' : 'ESMTP'
  const name = facts.international ? plain.replace(/^E?/, 'UTF8') : plain
  return `${name}${facts.encrypted ? 'S' : ''}${facts.authenticated ? 'A' : ''}`
}

/** One method's result (RFC 8601 section 2.2). Texts are Unicode; whatever cannot stand in the field is left out. */
export interface MethodResult {
  /** `spf`, `dkim`, `dmarc`, `arc` … */
  readonly method: string
  readonly result: string
  /** For people: becomes a comment behind the result. */
  readonly comment?: string
  /** `smtp.mailfrom` and its like, each with its value. */
  readonly properties: readonly (readonly [name: string, value: string])[]
}

const KEYWORD = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/
const PROPERTY = /^[A-Za-z0-9-]+\.[A-Za-z0-9-]+$/
const MOST_RESULTS = 40
const LONGEST_COMMENT = 200

/**
 * Tells the servers behind what is known of who sent a message (RFC 8601), with its CRLF. Texts are Unicode; a value that the header
 * cannot hold is left out, and whatever the results are, the field stays one field. Undefined: there are none.
 */
export function authenticationResultsField(
  { hostname, international }: Pick<TraceFacts, 'hostname' | 'international'>,
  results: readonly MethodResult[],
): string | undefined {
  const told = results
    .slice(0, MOST_RESULTS)
    .filter(({ method, result }) => KEYWORD.test(method) && KEYWORD.test(result))
    .map((one) => `;\r\n\t${folded(resultText(one, international))}`)
  return told.length === 0 ? undefined : `Authentication-Results: ${nameOf(hostname, false)}${told.join('')}\r\n`
}

function resultText({ method, result, comment, properties }: MethodResult, international: boolean): string {
  const values = properties.flatMap(([name, text]) => {
    const value = PROPERTY.test(name) ? resultValue(Buffer.from(text).toString('latin1'), international) : undefined
    return value === undefined ? [] : [`${name}=${value}`]
  })
  return [`${method}=${result}`, ...(comment === undefined ? [] : [`(${commentText(comment)})`]), ...values].join(' ')
}

/** A comment has no parentheses of its own here, so that none is left open (RFC 5322 section 3.2.2). */
function commentText(text: string): string {
  return text
    .replace(/[^ -~]/g, '?')
    .replace(/[()\\]/g, "'")
    .slice(0, LONGEST_COMMENT)
}

let second = -1
let date = ''
/** RFC 5322 section 3.3, in universal time. Made once for the messages of one second. */
export function rfc5322Date(at: number): string {
  const whole = Math.floor(at / 1_000)
  if (whole !== second) {
    second = whole
    date = new Date(at).toUTCString().replace('GMT', '+0000')
  }
  return date
}

function literal(endpoint: Endpoint): string {
  if (endpoint.family === 'unix') return 'local'
  const address = nameOf(endpoint.address, false)
  return endpoint.family === 6 ? `[IPv6:${address}]` : `[${address}]`
}

/** A host name, address or id: anything else in it becomes a question mark. */
function nameOf(text: string, international: boolean): string {
  if (text.length <= LONGEST_NAME && NAME.test(text)) return text
  return text.slice(0, LONGEST_NAME).replace(international ? STRANGE_TO_UTF8 : STRANGE, '?') || 'unknown'
}

/** `for <path>`; undefined for a path that some reader might take for more than one. */
function clauseOf(word: string, path: string | undefined, international: boolean): string | undefined {
  if (path === undefined || path.length > LONGEST_PATH || !mayHold(path, international)) return undefined
  return /^[^\s<>()"\\,;]+$/.test(path) ? `${word} <${path}>` : undefined
}

/** RFC 8601 section 2.2: a dotted word or mailbox as it is, else quoted. */
function resultValue(text: string, international: boolean): string | undefined {
  if (text.length > LONGEST_PATH || !mayHold(text, international)) return undefined
  return /^[^\s<>()"\\,;:/[\]?=@]+(?:@[A-Za-z0-9.\x80-\xff-]+)?$/.test(text)
    ? text
    : `"${text.replace(/[\\"]/g, '\\$&')}"`
}

function mayHold(text: string, international: boolean): boolean {
  return (international ? /^[ -~\x80-\xff]+$/ : /^[ -~]+$/).test(text)
}

/** Breaks a clause that is too wide at its spaces. A line of one word may stay over-long, but is far below 998 (RFC 5322 section 2.1.1). */
function folded(clause: string): string {
  if (clause.length < WIDTH - 1) return clause
  const [first = '', ...words] = clause.split(' ')
  let width = first.length
  let text = first
  for (const word of words) {
    const fits = width + 1 + word.length < WIDTH - 1
    text += fits ? ` ${word}` : `\r\n\t${word}`
    width = fits ? width + 1 + word.length : 1 + word.length
  }
  return text
}
