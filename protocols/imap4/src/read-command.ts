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
  /** More is coming than we are willing to swallow, or we cannot know where the next command begins. */
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
  const line = await (rules.first ? dialogue.readFirstLine(rules.authLine) : dialogue.readLine(rules.authLine))
  if (line.kind === 'gone' || line.kind === 'foreign') return line
  // Nobody knows whether a literal was announced at its end: what comes next may be no command.
  if (line.kind === 'too-long') return rules.first ? { kind: 'foreign' } : { kind: 'flood', tag: '*' }
  if (rules.first && isForeign(line.text)) return { kind: 'foreign' }
  const head = parseHead(line.text)
  // Whatever is wrong with a command, the literals that it announces belong to it and are no commands.
  if (head.kind === 'untagged') return readRest(dialogue, rules, { tag: '*', name: '' }, line.text, 'malformed')
  if (head.kind === 'bad') return readRest(dialogue, rules, { tag: head.tag, name: '' }, line.text, 'malformed')
  const tooLong = line.text.length > rules.line && head.name !== 'AUTHENTICATE'
  return readRest(dialogue, rules, head, line.text, tooLong ? 'too-long' : undefined)
}

async function readRest(
  dialogue: ClientDialogue,
  rules: CommandRules,
  head: { readonly tag: string; readonly name: string },
  firstLine: string,
  refusal: FailureReason | undefined,
): Promise<CommandRead> {
  const pieces: Piece[] = [{ kind: 'text', text: firstLine }]
  let text = firstLine
  let octets = firstLine.length
  let swallowed = 0
  let reason = refusal
  for (let mark = literalMark(text); mark !== undefined; mark = literalMark(text)) {
    reason ??= literalRefusal(head.name, mark, rules, pieces.length, octets)
    if (reason !== undefined) {
      // A client that waits for our go-ahead sends neither the literal nor the rest when it is refused (RFC 9051 section 4.3).
      if (mark.waits) return refused(head.tag, reason)
      swallowed += mark.size
      if (swallowed > MOST_SWALLOWED) return { kind: 'flood', tag: head.tag }
      if (!(await dialogue.swallow(mark.size))) return { kind: 'gone' }
    } else {
      if (mark.waits) dialogue.write('+ Go ahead\r\n')
      const bytes = await dialogue.readExactly(mark.size)
      if (bytes === undefined) return { kind: 'gone' }
      pieces.push({ kind: 'literal', octets: bytes.toString('latin1') })
      octets += mark.size
    }
    const line = await dialogue.readLine(rules.line)
    if (line.kind === 'gone') return line
    if (line.kind === 'too-long') return { kind: 'flood', tag: head.tag }
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
