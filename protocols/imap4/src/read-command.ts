// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import type { ClientDialogue } from '@portico/session'
import {
  type ImapCommand,
  isForeign,
  type LiteralMark,
  literalMark,
  type Piece,
  parseCommand,
  parseHead,
} from './parse.js'

/** What came where a command was awaited. */
export type CommandRead =
  | { readonly kind: 'command'; readonly command: ImapCommand }
  /** To be answered under this tag, `*` where none could be read. */
  | { readonly kind: 'refused'; readonly tag: string; readonly reason: FailureReason }
  /** The first line shows that the peer does not speak IMAP. */
  | { readonly kind: 'foreign' }
  /** More is coming than we are willing to swallow. */
  | { readonly kind: 'flood'; readonly tag: string }
  | { readonly kind: 'gone' }

export interface CommandRules {
  /** Longest line, and longest line of AUTHENTICATE, in octets. */
  readonly line: number
  readonly authLine: number
  /** Why no password may be shown on this leg, if so: LOGIN's literals are then refused before the client sends them. */
  readonly passwordRefusal: () => FailureReason | undefined
  /** Nothing was read yet in this session. */
  readonly first: boolean
}

/** A user name or password that is longer is none; ID's values are at most 1024 octets (RFC 2971 section 3.3). */
export const LONGEST_LITERAL = 4096
/** What a client sent without waiting has to be read to its end, unless it is too much (RFC 7888 section 4). */
export const MOST_SWALLOWED = 65_536
const MOST_LITERALS = 64
const MOST_OCTETS = 32_768
const WITH_LITERALS = new Set(['LOGIN', 'ID'])

/** Reads one command with its literals, synchronising and not (RFC 9051 sections 2.2.1 and 4.3, RFC 7888). */
export async function readCommand(dialogue: ClientDialogue, rules: CommandRules): Promise<CommandRead> {
  const line = await dialogue.readLine(rules.authLine)
  if (line.kind === 'gone') return line
  if (line.kind === 'too-long') return rules.first ? { kind: 'foreign' } : refused('*', 'too-long')
  if (rules.first && isForeign(line.text)) return { kind: 'foreign' }
  const head = parseHead(line.text)
  if (head.kind === 'untagged') return refused('*', 'malformed')
  if (head.kind === 'bad') return refused(head.tag, 'malformed')
  if (line.text.length > rules.line && head.name !== 'AUTHENTICATE') return refused(head.tag, 'too-long')
  return readRest(dialogue, rules, head, line.text)
}

async function readRest(
  dialogue: ClientDialogue,
  rules: CommandRules,
  head: { readonly tag: string; readonly name: string },
  firstLine: string,
): Promise<CommandRead> {
  const pieces: Piece[] = [{ kind: 'text', text: firstLine }]
  let text = firstLine
  let octets = firstLine.length
  let swallowed = 0
  let reason: FailureReason | undefined
  for (let mark = literalMark(text); mark !== undefined; mark = literalMark(text)) {
    reason ??= literalRefusal(head.name, mark, rules, pieces.length, octets)
    if (reason !== undefined) {
      // A client that waits for our go-ahead sends neither the literal nor the rest when it is refused (RFC 9051 section 4.3).
      if (mark.waits) return refused(head.tag, reason)
      swallowed += mark.size
      if (swallowed > MOST_SWALLOWED) return { kind: 'flood', tag: head.tag }
      if (!(await dialogue.skip(mark.size))) return { kind: 'gone' }
    } else {
      if (mark.waits) dialogue.write('+ Go ahead\r\n')
      const bytes = await dialogue.readExactly(mark.size)
      if (bytes === undefined) return { kind: 'gone' }
      pieces.push({ kind: 'literal', octets: bytes.toString('latin1') })
      octets += mark.size
    }
    const line = await dialogue.readLine(rules.line)
    if (line.kind === 'gone') return line
    if (line.kind === 'too-long') return refused(head.tag, 'too-long')
    text = line.text
    octets += text.length
    if (reason === undefined) pieces.push({ kind: 'text', text })
    else swallowed += text.length
  }
  if (reason !== undefined) return refused(head.tag, reason)
  const command = parseCommand(pieces)
  return command === undefined ? refused(head.tag, 'malformed') : { kind: 'command', command }
}

function literalRefusal(
  name: string,
  mark: LiteralMark,
  rules: CommandRules,
  pieces: number,
  octets: number,
): FailureReason | undefined {
  if (!WITH_LITERALS.has(name)) return 'malformed'
  const refusal = name === 'LOGIN' ? rules.passwordRefusal() : undefined
  if (refusal !== undefined) return refusal
  const tooMany = pieces > 2 * MOST_LITERALS || octets + mark.size > MOST_OCTETS
  return tooMany || mark.size > LONGEST_LITERAL ? 'too-long' : undefined
}

function refused(tag: string, reason: FailureReason): CommandRead {
  return { kind: 'refused', tag, reason }
}
