// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import type { Timer } from '@portico/base'
import { type Conversation, converse, type IdleTimer, type LegReader, type LineRead } from '@portico/net'
import type { Ended, Route, Session } from '@portico/session'
import type { Mailbox } from './address.js'
import type { BackendSession } from './backend-session.js'
import type { Command } from './parse.js'
import { formatReply, REPLIES, type Reply } from './replies.js'
import type { Connector, SmtpSettings } from './schema.js'

/** Replies held back at most for grouping (RFC 2920 section 3.2). */
const GROUPED = 4_096

/** What MAIL has said and RCPT has come to. */
export interface Envelope {
  readonly mailbox: Mailbox | undefined
  /** Declared size; 0 when none was. */
  readonly size: number
  readonly body: '7BIT' | '8BITMIME' | undefined
  readonly international: boolean
  /** Accepted recipients; the first one fixes the route. */
  recipients: number
  /** The backend has accepted MAIL on the present connection. */
  begun: boolean
  /** The backend would not have the sender: what every recipient is told. */
  refusal: Reply | undefined
}

/** A route that may be taken, and a key by which it is the same as another one. */
export interface Way {
  readonly key: string
  readonly route: Extract<Route, { kind: 'proxy' }>
}

/** A handler's word: go on with the next command, or the session is over. */
export type Next = 'next' | Ended

/** The state of one client's dialogue. Command handlers read and change it. */
export class Dialogue {
  readonly session: Session
  readonly settings: SmtpSettings
  readonly connector: Connector
  readonly conversation: Conversation
  helo: Extract<Command, { kind: 'ehlo' | 'helo' }> | undefined
  authenticated: Authenticated | undefined
  /** The way of a signed-in sender: fixed for the session. */
  way: Way | undefined
  envelope: Envelope | undefined
  backend: BackendSession | undefined
  /** Which way the open backend belongs to. */
  backendKey: string | undefined
  failures = 0
  errors = 0
  /** Set by a timer or by draining while the client was awaited. */
  interrupted: Ended | undefined
  #out = ''
  #awaiting = false
  /** The time for strangers ended while something else was awaited. */
  #overdue = false
  #idle: IdleTimer | undefined
  readonly #preAuth: Timer
  #closed: (() => void) | undefined
  #whenDrained: (() => void) | undefined

  constructor(session: Session, settings: SmtpSettings, connector: Connector) {
    this.session = session
    this.settings = settings
    this.connector = connector
    this.conversation = converse(session.leg)
    session.leg.setReader(this.#watched())
    const { wheel, limits } = session.services
    // The leg's own deadline would leave no time for a last word: it stays behind ours as a backstop.
    session.leg.setDeadline(limits.preAuth + limits.linger)
    this.#preAuth = wheel.add(limits.preAuth, () => {
      if (this.#awaiting) this.#interrupt(REPLIES.timeout, 'deadline')
      else if (this.envelope === undefined) session.signal.abort('deadline')
      else {
        // A backend is being asked about a recipient: that wait is not the client's.
        this.#overdue = true
        session.leg.setDeadline(0)
      }
    })
    this.#armIdle()
    session.onDrain = () => {
      if (this.#awaiting && this.envelope === undefined) this.#interrupt(REPLIES.draining, 'draining')
    }
  }

  /** Puts a reply into the group that goes out when the client has to be awaited. */
  reply(reply: Reply): void {
    this.#out += formatReply(reply)
    if (this.#out.length > GROUPED) this.flush()
  }

  /** Sends what was held back. */
  flush(): void {
    if (this.#out === '') return
    this.session.leg.writeText(this.#out)
    this.#out = ''
  }

  /** The next line of the client. Replies go out first, unless more commands are here already. */
  async readLine(limit: number): Promise<LineRead> {
    if (!this.conversation.hasInput) this.flush()
    return this.awaitingClient(async () => {
      if (this.session.leg.needsDrain) await this.#drained()
      return this.conversation.readLine(limit, this.session.signal)
    })
  }

  /** Who sends commands and does not read the replies is not heard further, or the replies would pile up here. */
  #drained(): Promise<void> {
    const { signal } = this.session
    return new Promise((resolve) => {
      this.#whenDrained = () => {
        this.#whenDrained = undefined
        signal.onAbort = undefined
        resolve()
      }
      signal.onAbort = this.#whenDrained
    })
  }

  /** Runs a wait for the client, during which the idle timer and draining may speak. */
  async awaitingClient<T>(wait: () => Promise<T>): Promise<T> {
    this.#awaiting = true
    this.touch()
    if (this.#overdue) this.#interrupt(REPLIES.timeout, 'deadline')
    const result = await wait()
    this.#awaiting = false
    return result
  }

  /** The client has shown a right to be here: its time is no longer that of strangers. */
  admitted(): void {
    this.#overdue = false
    this.#preAuth.cancel()
    this.session.leg.setDeadline(0)
  }

  /** The client has done something. */
  touch(): void {
    this.#idle?.touch()
  }

  /** A mistake of the client: answered, counted, and too many of them end the session. */
  mistake(reply: Reply): Next {
    this.reply(reply)
    this.errors += 1
    if (this.errors < this.session.services.limits.badCommands) return 'next'
    return this.dismiss(REPLIES.tooManyErrors, 'too-many-errors')
  }

  /** The last word. */
  dismiss(reply: Reply, why: Ended): Ended {
    this.reply(reply)
    return why
  }

  /** Gives the open transaction up; the backend confirms RSET or is dropped. */
  async resetTransaction(): Promise<void> {
    const { envelope, backend } = this
    this.envelope = undefined
    if (envelope === undefined || !envelope.begun || backend === undefined || backend.over) return
    const answer = await backend.command('RSET', this.settings.backendReply, this.session.signal)
    if (answer.kind === 'lost' || answer.reply.code !== 250) this.dropBackend()
  }

  /** Nothing that was said in the clear holds under TLS, who signed in there least of all. */
  forgetSender(): void {
    this.helo = undefined
    this.authenticated = undefined
    this.way = undefined
    this.backend?.quit()
    this.dropBackend()
  }

  /** Drops the backend connection without a word. */
  dropBackend(): void {
    this.backend?.drop()
    if (this.envelope !== undefined) this.envelope.begun = false
    this.backend = undefined
    this.backendKey = undefined
  }

  /** Everything is over: timers, backend, and the client's leg after the last reply. Resolves when the client has it. */
  async finish(why: Ended): Promise<void> {
    this.#idle?.cancel()
    this.#preAuth.cancel()
    this.session.onDrain = undefined
    this.flush()
    if (why === 'server-bug') this.dropBackend()
    else this.backend?.quit()
    const { leg, services } = this.session
    if (leg.state === 'closed') return
    if (why === 'plaintext-behind-starttls' || why === 'tls-failed') return leg.destroy()
    await new Promise<void>((resolve) => {
      this.#closed = resolve
      leg.close(services.limits.linger)
    })
  }

  #interrupt(reply: Reply, why: Ended): void {
    this.interrupted = why
    this.reply(reply)
    this.flush()
    this.session.signal.abort(why === 'draining' ? 'draining' : 'deadline')
  }

  #armIdle(): void {
    this.#idle = this.session.services.wheel.addIdle(this.settings.idle, () => {
      if (this.#awaiting) this.#interrupt(REPLIES.timeout, 'idle')
      else this.#armIdle()
    })
  }

  /** The conversation's reader, with an eye on the end of the leg also while nothing is awaited. */
  #watched(): LegReader {
    const { conversation, session } = this
    return {
      onBytes: (view) => conversation.onBytes(view),
      onDrain: () => this.#whenDrained?.(),
      onPeerEnd: () => conversation.onPeerEnd(),
      onEnd: (why) => {
        conversation.onEnd(why)
        session.signal.abort('closed')
        this.#closed?.()
      },
    }
  }
}
