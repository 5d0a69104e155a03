// SPDX-License-Identifier: MIT
import { BackendError, type BackendErrorCode, type BackendPhase, type Cancellation } from '@portico/base'
import { type Conversation, converse, type Leg } from '@portico/net'
import type { Lease } from '@portico/pool'
import { type BackendReply, parseReplyLine, REPLY_LINE, REPLY_LINES } from './backend-reply.js'

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
    if (read.kind === 'cancelled') return { kind: 'lost', code: 'cancelled' }
    if (read.kind === 'peer-ended') return { kind: 'lost', code: 'closed' }
    if (read.kind === 'ended') return lostBy(read.why)
    const line = read.kind === 'line' ? parseReplyLine(read.bytes) : undefined
    if (line === undefined || (code !== undefined && code !== line.code) || texts.length >= REPLY_LINES)
      return { kind: 'lost', code: 'garbage' }
    code = line.code
    texts.push(line.text)
    const [first, ...more] = texts
    if (line.last && first !== undefined) return { kind: 'reply', reply: { code, lines: [first, ...more] } }
  }
}

function lostBy(why: import('@portico/net').LegEnd): Answer {
  if (why.kind === 'idle' || why.kind === 'deadline') return { kind: 'lost', code: 'timed-out' }
  if (why.kind === 'error') return { kind: 'lost', code: 'reset', cause: why.cause }
  return { kind: 'lost', code: 'closed' }
}

/** The trouble behind a missing or an unexpected answer. */
export function troubleOf(answer: Answer, backend: string, phase: BackendPhase): BackendError {
  if (answer.kind === 'lost') return new BackendError({ code: answer.code, backend, phase, cause: answer.cause })
  const { code: reply } = answer.reply
  // 421 announces that the backend closes the connection, whatever it was asked (RFC 5321 section 3.8).
  const code = reply === 421 ? 'closed' : reply >= 400 && reply < 500 ? 'temporary' : 'other'
  return new BackendError({ code, backend, phase, cause: `reply ${reply}` })
}

/** A backend connection of one client, after its login: transactions follow one another on it. */
export class BackendSession {
  readonly lease: Lease
  /** What the backend offers, keyword to parameters. */
  readonly extensions: ReadonlyMap<string, string>
  #conversation: Conversation
  /** It has served a transaction: it may have been closed for being idle since. */
  kept = false
  #over = false

  constructor(lease: Lease, extensions: ReadonlyMap<string, string>, conversation: Conversation) {
    this.lease = lease
    this.extensions = extensions
    this.#conversation = conversation
  }

  get leg(): Leg {
    return this.lease.leg
  }

  /** Dropped or ended: of no further use. */
  get over(): boolean {
    return this.#over
  }

  /** As far as is known: a backend that has finished sending will not answer. */
  get usable(): boolean {
    return !this.#over && this.leg.state === 'open'
  }

  /** Sends one command and awaits its reply, at most for `ms`. Anything but a reply drops the connection. */
  async command(text: string, ms: number, signal: Cancellation): Promise<Answer> {
    this.leg.writeText(`${text}\r\n`)
    return this.answer(ms, signal)
  }

  /** Awaits a reply. 421 announces that the backend closes (RFC 5321 section 3.8): the connection is dropped then, too. */
  async answer(ms: number, signal: Cancellation): Promise<Answer> {
    this.leg.setDeadline(ms)
    const answer = await readReply(this.#conversation, signal)
    this.leg.setDeadline(0)
    if (answer.kind === 'lost' || answer.reply.code === 421) this.drop()
    return answer
  }

  /** The dialogue goes on after somebody else has read from the leg. */
  resumeDialogue(): void {
    this.#conversation = converse(this.leg)
  }

  /** Ends it politely; whatever it had accepted has been answered. */
  quit(): void {
    if (this.#over) return
    this.leg.writeText('QUIT\r\n')
    this.drop()
  }

  /** Ends it at once. A message whose end was not sent is thus given up (RFC 5321 section 4.1.1.4). */
  drop(): void {
    this.#over = true
    this.lease.discard()
  }
}
