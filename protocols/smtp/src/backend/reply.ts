// SPDX-License-Identifier: MIT
import type { Reply } from '../replies.js'

/** Longest reply line taken from a backend; RFC 5321 section 4.5.3.1.5 asks for 512, servers say more. */
export const REPLY_LINE = 4_096
/** Lines of one reply; an endless one is garbage. */
export const REPLY_LINES = 128

/** A reply line of a backend, understood. */
export interface ReplyLine {
  readonly code: number
  readonly last: boolean
  readonly text: string
}

/** Reads one reply line without its terminator (RFC 5321 section 4.2); undefined when it is none. */
export function parseReplyLine(bytes: Buffer): ReplyLine | undefined {
  const match = /^([2-5][0-9]{2})(?:([ -])(.*))?$/s.exec(bytes.toString('latin1'))
  if (match === null) return undefined
  return { code: Number(match[1]), last: match[2] !== '-', text: match[3] ?? '' }
}

/** A reply of a backend. */
export interface BackendReply {
  readonly code: number
  readonly lines: readonly [string, ...string[]]
}

const ENHANCED = /^([245])\.\d{1,3}\.\d{1,3}(?= |$)/

/** What needs no care: an enhanced code and printable ASCII. */
const PROPER = /^[245]\.\d{1,3}\.\d{1,3} [ -~]*$/

/** Longest text of a reply line that we send: the line holds a code, a separator and CRLF besides (RFC 5321 section 4.5.3.1.5). */
const MOST_TEXT = 506

/**
 * A backend's words for our client: faithful, but each line has an enhanced status code of the right class (RFC 2034 section 4), that
 * of the first line that has one; longer lines than SMTP allows become several; and what is neither printable nor UTF-8 is `?`.
 * 421, which speaks about the backend's connection and not about ours, becomes a temporary failure.
 */
export function passedOn(reply: BackendReply, temporary: Reply): Reply {
  if (reply.code === 421 || (reply.code >= 300 && reply.code < 400)) return temporary
  if (isProper(reply)) return reply
  const kind = String(reply.code).charAt(0)
  const own = (line: string): string | undefined => {
    const match = ENHANCED.exec(line)
    return match?.[1] === kind ? match[0] : undefined
  }
  const status = reply.lines.map(own).find((found) => found !== undefined) ?? `${kind}.0.0`
  const [first = status, ...more] = reply.lines.flatMap((line) => {
    const said = own(line) ?? status
    const text = own(line) === undefined ? line : line.slice(said.length + 1)
    return wrapped(printable(text), MOST_TEXT - said.length - 1).map((part) => `${said} ${part}`)
  })
  return { code: reply.code, lines: [first, ...more] }
}

/** One printable line that is short enough and has an enhanced code of the right class: nothing is to be done to it. */
function isProper({ code, lines }: BackendReply): boolean {
  const [line] = lines
  if (lines.length > 1 || line.length > MOST_TEXT || !PROPER.test(line)) return false
  return line.charAt(0) === String(code).charAt(0)
}

/** The text with its octets as characters, where whatever is no part of a printable UTF-8 character is a question mark. */
function printable(latin1: string): string {
  return latin1
    .replace(/\t/g, ' ')
    .replace(NOT_PRINTABLE, (octets, character?: string) => character ?? '?'.repeat(octets.length))
}

/** Each octet a character: well-formed sequences of UTF-8 but the controls of U+0080 to U+009F, and all that is not printable. */
const NOT_PRINTABLE =
  /(\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})|[^ -~]/g

/** The text in parts of at most so many octets; no UTF-8 character is cut. */
function wrapped(text: string, most: number): readonly string[] {
  const parts: string[] = []
  let rest = text
  while (rest.length > most) {
    let cut = most
    while (/[\x80-\xbf]/.test(rest.charAt(cut))) cut -= 1
    parts.push(rest.slice(0, cut))
    rest = rest.slice(cut)
  }
  return [...parts, rest]
}

/** The same where the backend did not do what was asked: a success that means something else is not told to the client. */
export function refusalOf(reply: BackendReply, temporary: Reply): Reply {
  return reply.code < 400 ? temporary : passedOn(reply, temporary)
}

/** The extensions of an EHLO reply: keyword in upper case to its parameters. The first line is the greeting. */
export function extensionsOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const extensions = new Map<string, string>()
  for (const line of lines.slice(1)) {
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =](.*))?$/.exec(line)
    if (match !== null) extensions.set((match[1] ?? '').toUpperCase(), (match[2] ?? '').trim().toUpperCase())
  }
  return extensions
}
