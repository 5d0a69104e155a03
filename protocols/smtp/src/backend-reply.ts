// SPDX-License-Identifier: MIT
import type { Reply } from './replies.js'

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

const ENHANCED = /^([245])\.\d{1,3}\.\d{1,3}(?: |$)/

/**
 * A backend's words for our client: faithful, but each line has an enhanced status code of the right class (RFC 2034 section 4),
 * and 421, which speaks about the backend's connection and not about ours, becomes a temporary failure.
 */
export function passedOn(reply: BackendReply, temporary: Reply): Reply {
  if (reply.code === 421 || (reply.code >= 300 && reply.code < 400)) return temporary
  const kind = String(reply.code).charAt(0)
  const [first, ...more] = reply.lines
  const completed = (line: string) => (ENHANCED.exec(line)?.[1] === kind ? line : `${kind}.0.0 ${line}`)
  return { code: reply.code, lines: [completed(first), ...more.map(completed)] }
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
