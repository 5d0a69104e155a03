// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { type Conversation, converse, type Leg } from '@portico/net'
import type { Lease } from '@portico/pool'
import { type Answer, isReply, readReply } from './answer.js'
import type { Dialect, Extensions, SmtpGreeting } from './greeting.js'

export type { Answer } from './answer.js'

/** What a backend said to MAIL and to the first RCPT. `rcpt` is undefined where MAIL was not accepted. */
export interface Begun {
  readonly mail: Answer
  readonly rcpt: Answer | undefined
}

/** What a login left behind for the session. */
export interface SessionFacts {
  readonly extensions: Extensions
  /** Commands that tell the client of each transaction, before its MAIL. */
  readonly preamble?: readonly string[]
  /** The backend knows no IPv6, and so not the client's address. */
  readonly withheld?: boolean
}

/** A backend connection of one client, after its login: transactions follow one another on it. */
export class BackendSession {
  readonly lease: Lease
  /** In LMTP each recipient has an answer of its own at the end of a message (RFC 2033 section 4.2). */
  readonly dialect: Dialect
  /** What the backend offers, keyword to parameters. */
  readonly extensions: Extensions
  /** The backend knows no IPv6, and so not the client's address. */
  readonly withheld: boolean
  readonly #preamble: readonly string[]
  #conversation: Conversation
  #over = false
  /** Replies that were asked for and have not come. */
  #awaited = 0
  /** Recipients that the backend has accepted in this transaction. */
  #recipients = 0

  constructor(lease: Lease, conversation: Conversation, { extensions, preamble = [], withheld = false }: SessionFacts) {
    this.lease = lease
    this.dialect = (lease.greeting as SmtpGreeting).dialect
    this.extensions = extensions
    this.withheld = withheld
    this.#preamble = preamble
    this.#conversation = conversation
  }

  get leg(): Leg {
    return this.lease.leg
  }

  /** Dropped or ended: of no further use. */
  get over(): boolean {
    return this.#over
  }

  /** As far as is known: one that has finished sending will not answer, and what one has said unasked is no answer. */
  get usable(): boolean {
    return !this.#over && this.leg.state === 'open' && !this.#conversation.hasInput
  }

  /** Replies that were asked for and have not been read: more than one where chunks were announced without waiting. */
  get awaited(): number {
    return this.#awaited
  }

  /**
   * Sends MAIL and the first RCPT, in one write where the backend takes that (RFC 2920). 421 to MAIL is `lost`: nothing has begun,
   * and another connection may do better. A backend that refuses to hear who the client is gets no mail.
   */
  async begin(mail: string, rcpt: string, ms: number, signal: Cancellation): Promise<Begun> {
    this.lease.markUsed()
    this.#recipients = 0
    const ask = this.#asker([...this.#preamble, mail, rcpt], ms, signal)
    for (const _ of this.#preamble) {
      const told = await ask()
      if (isReply(told, 250)) continue
      this.drop()
      return { mail: told.kind === 'lost' ? told : { kind: 'lost', code: 'other' }, rcpt: undefined }
    }
    const answer = await ask()
    if (answer.kind === 'lost') return { mail: answer, rcpt: undefined }
    if (answer.reply.code === 421) return { mail: { kind: 'lost', code: 'closed' }, rcpt: undefined }
    if (answer.reply.code === 250) return { mail: answer, rcpt: this.#counted(await ask()) }
    // RCPT may be under way already. Where it was accepted without a sender nobody knows what the backend believes.
    if (this.#awaited > 0 && (await ask().then(isAccepted))) this.drop()
    return { mail: answer, rcpt: undefined }
  }

  /** Sends one command and awaits its reply, at most for `ms`. Anything but a reply drops the connection. */
  async command(text: string, ms: number, signal: Cancellation): Promise<Answer> {
    this.#send(text)
    const answer = await this.answer(ms, signal)
    return text.startsWith('RCPT ') ? this.#counted(answer) : answer
  }

  /**
   * Announces a chunk, whose octets are then to be written to the leg (RFC 3030 section 2). Its reply may be awaited before the next
   * one is announced, or after it where the backend has PIPELINING.
   */
  announceChunk(octets: number, last: boolean): void {
    this.leg.writeText(`BDAT ${octets}${last ? ' LAST' : ''}\r\n`)
    this.#awaited += last ? this.#finals : 1
  }

  /**
   * Awaits the next reply. 421 announces that the backend closes (RFC 5321 section 3.8): the connection is dropped then, too. 354
   * promises what the end of the message will bring.
   */
  async answer(ms: number, signal: Cancellation): Promise<Answer> {
    if (this.#over) return { kind: 'lost', code: 'closed' }
    this.leg.setDeadline(ms)
    const answer = await readReply(this.#conversation, signal)
    this.leg.setDeadline(0)
    this.#awaited -= 1
    if (answer.kind === 'lost' || answer.reply.code === 421) this.drop()
    else if (answer.reply.code === 354) this.#awaited += this.#finals
    return answer
  }

  /**
   * What the end of the message came to, once it has been sent and the replies to earlier chunks have been read: one answer, in LMTP
   * one for each accepted recipient in their order, each at most after `ms`.
   */
  async verdicts(ms: number, signal: Cancellation): Promise<readonly Answer[]> {
    const heard: Answer[] = []
    for (let left = this.#finals; left > 0; left -= 1) heard.push(await this.answer(ms, signal))
    this.#recipients = 0
    return heard
  }

  /** The dialogue goes on after somebody else has read from the leg. */
  resumeDialogue(): void {
    this.#conversation = converse(this.leg)
  }

  /** The client needs it no more. The pool finds out whether it can serve another one. */
  giveBack(): void {
    if (this.#over) return
    // What a backend takes for the body of a message must not be a command, nor the answer to another one that to ours.
    if (this.#awaited > 0) this.drop()
    else if (this.lease.backend.proxyProtocol !== undefined) this.quit()
    else {
      this.#over = true
      void this.lease.release()
    }
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

  /** How many replies the end of a message brings. */
  get #finals(): number {
    return this.dialect === 'lmtp' ? this.#recipients : 1
  }

  #send(...lines: readonly string[]): void {
    this.leg.writeText(lines.map((line) => `${line}\r\n`).join(''))
    this.#awaited += lines.length
  }

  /** Asks for the answers to these commands, one at each call: the commands go out together if they may, else each when asked. */
  #asker(lines: readonly string[], ms: number, signal: Cancellation): () => Promise<Answer> {
    const together = this.extensions.has('PIPELINING')
    if (together) this.#send(...lines)
    const left = [...lines]
    return () => {
      if (!together) this.#send(...left.splice(0, 1))
      return this.answer(ms, signal)
    }
  }

  #counted(answer: Answer): Answer {
    if (isAccepted(answer)) this.#recipients += 1
    return answer
  }
}

/** Senders look at the first digit (RFC 5321 section 4.2.1). */
function isAccepted(answer: Answer): boolean {
  return answer.kind === 'reply' && answer.reply.code < 300
}
