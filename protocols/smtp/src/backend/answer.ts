// SPDX-License-Identifier: MIT
import { BackendError, type BackendErrorCode, type BackendPhase, type Cancellation } from '@portico/base'
import { backendErrorOfRead, type Conversation } from '@portico/net'
import { type BackendReply, parseReplyLine, REPLY_LINE, REPLY_LINES } from './reply.js'

/** A reply, or why there is none. */
export type Answer =
  | { readonly kind: 'reply'; readonly reply: BackendReply }
  | { readonly kind: 'lost'; readonly code: BackendErrorCode; readonly cause?: unknown }

/** Reads one reply of a backend, of one line or several (RFC 5321 section 4.2.1). */
export async function readReply(conversation: Conversation, signal: Cancellation): Promise<Answer> {
  const texts: string[] = []
  let code: number | undefined
  for (;;) {
    const read = await conversation.readLine(REPLY_LINE, signal)
    if (read.kind !== 'line' && read.kind !== 'too-long') return { kind: 'lost', ...backendErrorOfRead(read, signal) }
    const line = read.kind === 'line' ? parseReplyLine(read.bytes) : undefined
    if (line === undefined || (code !== undefined && code !== line.code) || texts.length >= REPLY_LINES)
      return { kind: 'lost', code: 'garbage' }
    code = line.code
    texts.push(line.text)
    const [first, ...more] = texts
    if (line.last && first !== undefined) return { kind: 'reply', reply: { code, lines: [first, ...more] } }
  }
}

/** Whether it is a reply with this code. */
export function isReply(answer: Answer, code: number): boolean {
  return answer.kind === 'reply' && answer.reply.code === code
}

/** The trouble behind a missing or an unexpected answer. */
export function troubleOf(answer: Answer, backend: string, phase: BackendPhase): BackendError {
  if (answer.kind === 'lost') return new BackendError({ code: answer.code, backend, phase, cause: answer.cause })
  const { code: reply } = answer.reply
  // 421 announces that the backend closes the connection, whatever it was asked (RFC 5321 section 3.8).
  const code = reply === 421 ? 'closed' : reply >= 400 && reply < 500 ? 'temporary' : 'other'
  return new BackendError({ code, backend, phase, cause: `reply ${reply}` })
}
