// SPDX-License-Identifier: MIT
import { type Mailbox, parsePath } from './address.js'

/** A command line, understood. Text holds one character for each octet. */
export type Command =
  | HelloCommand
  | { readonly kind: 'auth'; readonly mechanism: string; readonly initial: string | undefined }
  | MailCommand
  | RcptCommand
  | BdatCommand
  | { readonly kind: 'xclient'; readonly attributes: string }
  | { readonly kind: 'starttls' | 'data' | 'rset' | 'noop' | 'quit' | 'vrfy' | 'expn' | 'help' }

/** EHLO, HELO (RFC 5321 section 4.1.1.1) and LHLO (RFC 2033 section 4.1). */
export interface HelloCommand {
  readonly kind: 'ehlo' | 'helo' | 'lhlo'
  readonly domain: string
}

/** BDAT (RFC 3030 section 2): so many octets follow, and with `last` the message is complete. */
export interface BdatCommand {
  readonly kind: 'bdat'
  readonly size: number
  readonly last: boolean
}

/** MAIL FROM (RFC 5321 section 4.1.1.2). An undefined mailbox is the null reverse-path. */
export interface MailCommand {
  readonly kind: 'mail'
  readonly mailbox: Mailbox | undefined
  readonly parameters: ReadonlyMap<string, string | undefined>
}

/** RCPT TO (RFC 5321 section 4.1.1.3). */
export interface RcptCommand {
  readonly kind: 'rcpt'
  readonly mailbox: Mailbox
  readonly parameters: ReadonlyMap<string, string | undefined>
}

/**
 * Why a line is no command. `http`: the peer speaks another protocol and is not to be answered further. `chunk`: nobody knows
 * where the octets behind a malformed BDAT end, so nothing that follows can be obeyed.
 */
export type Unparsed = {
  readonly kind: 'bad'
  readonly why: 'unknown' | 'controls' | 'too-long' | 'arguments' | 'sender' | 'recipient' | 'chunk' | 'http'
}

/** Longest command line without CRLF (RFC 5321 section 4.5.3.1.4). */
const COMMAND_LINE = 510
/**
 * The same with room for the parameters of extensions (RFC 5321 section 4.1.1.11): 26 for SIZE, 19 for BODY, 10 for SMTPUTF8, 500
 * for AUTH, 119 for RET and ENVID, 536 for NOTIFY and ORCPT, 11 for REQUIRETLS, 15 for MT-PRIORITY.
 */
const ENVELOPE_LINE = 2046

const HTTP = /^(?:[A-Z]{3,10} \S+ HTTP\/\d|(?:Host|User-Agent): )/
const DOMAIN = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9_.])?$/
const LITERAL = /^\[[A-Za-z0-9:.-]{1,253}\]$/
const KEYWORD = /^[A-Za-z0-9][A-Za-z0-9-]*$/
const VALUE = /^[!-<>-~\x80-\xff]+$/

/** Reads one command line without its terminator, one character for each octet. Bare CR, NUL and other controls never pass. */
export function parseCommand(line: string): Command | Unparsed {
  if (HTTP.test(line)) return bad('http')
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(line)) return bad(isBdat(line) ? 'chunk' : 'controls')
  const space = line.search(/[ \t]/)
  const verb = (space === -1 ? line : line.slice(0, space)).toUpperCase()
  const rest = space === -1 ? '' : line.slice(space + 1).trim()
  const limit =
    verb === 'AUTH' ? Number.POSITIVE_INFINITY : verb === 'MAIL' || verb === 'RCPT' ? ENVELOPE_LINE : COMMAND_LINE
  if (line.length > limit) return bad(verb === 'BDAT' ? 'chunk' : 'too-long')
  return byVerb(verb, rest)
}

/** Whether somebody could take a line for BDAT, and what follows for its octets. */
export function isBdat(line: string): boolean {
  return /^\s*BDAT(?![A-Z0-9])/i.test(line)
}

/** Whether a name may stand behind EHLO: a domain, or an address literal. */
export function isHelloName(text: string): boolean {
  return DOMAIN.test(text) || LITERAL.test(text)
}

function byVerb(verb: string, rest: string): Command | Unparsed {
  switch (verb) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      return isHelloName(rest) ? { kind: LOWER[verb], domain: rest } : bad('arguments')
    case 'MAIL':
      return parseMail(rest)
    case 'RCPT':
      return parseRcpt(rest)
    case 'AUTH':
      return parseAuth(rest)
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
      return rest === '' ? { kind: LOWER[verb] } : bad('arguments')
    case 'VRFY':
    case 'EXPN':
      return rest === '' ? bad('arguments') : { kind: LOWER[verb] }
    case 'NOOP':
    case 'HELP':
      return { kind: LOWER[verb] }
    case 'XCLIENT':
      return rest === '' ? bad('arguments') : { kind: 'xclient', attributes: rest }
    case 'BDAT':
      return parseBdat(rest)
    default:
      return bad('unknown')
  }
}

const LOWER = {
  EHLO: 'ehlo',
  HELO: 'helo',
  LHLO: 'lhlo',
  DATA: 'data',
  RSET: 'rset',
  QUIT: 'quit',
  STARTTLS: 'starttls',
  NOOP: 'noop',
  VRFY: 'vrfy',
  EXPN: 'expn',
  HELP: 'help',
} as const

/** `chunk-size [LAST]`; what is too large to be counted is as bad as what is no number. */
function parseBdat(rest: string): Command | Unparsed {
  const match = /^(\d{1,20})( +LAST)?$/i.exec(rest)
  const size = Number(match?.[1])
  return Number.isSafeInteger(size) ? { kind: 'bdat', size, last: match?.[2] !== undefined } : bad('chunk')
}

function parseAuth(rest: string): Command | Unparsed {
  const [mechanism = '', initial, ...more] = rest.split(/ +/)
  if (!/^[A-Za-z0-9_-]{1,20}$/.test(mechanism) || more.length > 0) return bad('arguments')
  return { kind: 'auth', mechanism: mechanism.toUpperCase(), initial }
}

function parseMail(rest: string): Command | Unparsed {
  const split = afterKeyword(rest, 'FROM:')
  if (split === undefined) return bad('arguments')
  const path = parsePath(split)
  if (path.kind === 'bad') return bad('sender')
  const parameters = parseParameters(path.rest)
  if (parameters === undefined) return bad('arguments')
  return { kind: 'mail', mailbox: path.kind === 'mailbox' ? path.mailbox : undefined, parameters }
}

function parseRcpt(rest: string): Command | Unparsed {
  const split = afterKeyword(rest, 'TO:')
  if (split === undefined) return bad('arguments')
  const path = parsePath(split)
  if (path.kind !== 'mailbox') return bad('recipient')
  const parameters = parseParameters(path.rest)
  return parameters === undefined ? bad('arguments') : { kind: 'rcpt', mailbox: path.mailbox, parameters }
}

/** Clients often put a space behind the colon, which the grammar does not have; nothing is risked by taking it. */
function afterKeyword(text: string, keyword: string): string | undefined {
  return text.slice(0, keyword.length).toUpperCase() === keyword ? text.slice(keyword.length).trimStart() : undefined
}

/** esmtp-param of RFC 5321 section 4.1.2; undefined when malformed or given twice. Keywords come out in upper case. */
function parseParameters(text: string): ReadonlyMap<string, string | undefined> | undefined {
  const parameters = new Map<string, string | undefined>()
  if (text === '') return parameters
  if (!text.startsWith(' ')) return undefined
  for (const part of text.trim().split(/ +/)) {
    const equals = part.indexOf('=')
    const keyword = (equals === -1 ? part : part.slice(0, equals)).toUpperCase()
    const value = equals === -1 ? undefined : part.slice(equals + 1)
    if (!KEYWORD.test(keyword) || parameters.has(keyword)) return undefined
    if (value !== undefined && !VALUE.test(value)) return undefined
    parameters.set(keyword, value)
  }
  return parameters
}

function bad(why: Unparsed['why']): Unparsed {
  return { kind: 'bad', why }
}
