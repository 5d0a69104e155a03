// SPDX-License-Identifier: MIT
import type { ClientDialogue } from '@portico/session'

/** What came on a connection. `head` without the empty line, one character for each octet. */
export type Message =
  | { readonly kind: 'head'; readonly head: string }
  /** Twice CRLF between messages: the client wants to know whether somebody is there (RFC 5626 section 4.4.1). */
  | { readonly kind: 'ping' }
  | { readonly kind: 'too-long'; readonly head: string }
  /** A line ended without its CR, so that nobody knows where this one ends. */
  | { readonly kind: 'broken'; readonly head: string }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'gone' }

/** Reads the next head, of at most so many octets. Line ends before a message are none of it (RFC 3261 section 7.5). */
export async function readMessage(dialogue: ClientDialogue, most: number, first: boolean): Promise<Message> {
  const lines: string[] = []
  let length = 0
  let empty = 0
  for (let line = await readLine(dialogue, most, first); ; line = await readLine(dialogue, most - length, false)) {
    if (line.kind === 'gone' || line.kind === 'foreign') return line
    if (line.kind === 'too-long') return { kind: 'too-long', head: lines.join('\r\n') }
    if (line.bareLf) return { kind: 'broken', head: lines.join('\r\n') }
    if (line.text !== '') {
      lines.push(line.text)
      length += line.text.length + 2
      if (length >= most) return { kind: 'too-long', head: lines.join('\r\n') }
      continue
    }
    if (lines.length > 0) return { kind: 'head', head: lines.join('\r\n') }
    empty += 1
    if (empty === 2) return { kind: 'ping' }
  }
}

function readLine(dialogue: ClientDialogue, most: number, first: boolean): ReturnType<ClientDialogue['readFirstLine']> {
  return first ? dialogue.readFirstLine(most) : dialogue.readLine(most)
}
