// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import { ClientDialogue, type Ended, type ForwardedFacts, type Session } from '@portico/session'
import type { AgentRun } from './agents/run-agents.js'
import type { BackendSession } from './backend/session.js'
import type { Command, HelloCommand } from './parse.js'
import { formatReply, REPLIES, type Reply } from './replies.js'
import type { Connector, SmtpSettings } from './schema.js'
import type { Branch, Envelope } from './transaction/envelope.js'
import { together } from './transaction/together.js'
import type { Way } from './transaction/way.js'

/** What a client is told whom we let go. */
const LAST_WORDS: Partial<Record<Ended, Reply>> = {
  draining: REPLIES.draining,
  deadline: REPLIES.timeout,
  idle: REPLIES.timeout,
}

/** A handler's word: go on with the next command, or the session is over. */
export type Next = 'next' | Ended

/** The state of one client's dialogue. Command handlers read and change it. */
export class Dialogue {
  readonly session: Session
  readonly settings: SmtpSettings
  connector: Connector
  /** Where the client had connected to, or the proxy that has not told yet whom it speaks for. */
  readonly port: number
  /** What a proxy has told of its client. */
  forwarded: ForwardedFacts = {}
  readonly client: ClientDialogue
  /** Undefined where no agent is configured. */
  agents: AgentRun | undefined
  helo: HelloCommand | undefined
  /** The extensions that the last EHLO was told of, and with them the parameters that may be used. */
  offered: ReadonlySet<string> = new Set()
  authenticated: Authenticated | undefined
  /** The way of a signed-in sender: fixed for the session. */
  way: Way | undefined
  envelope: Envelope | undefined
  /** Open backends, by the key of their way; they are kept for the messages that follow. */
  readonly backends = new Map<string, BackendSession>()
  failures = 0
  errors = 0
  /** The last command was refused (5xx). */
  #refused = false

  constructor(session: Session, settings: SmtpSettings, connector: Connector) {
    this.session = session
    this.settings = settings
    this.connector = connector
    this.port = session.leg.facts.local.port
    // A backend that is being asked about a recipient is waited for, and a transaction is let come to its end.
    this.client = new ClientDialogue(session, () => this.envelope !== undefined)
    this.client.setIdle(connector.idle)
    this.client.setLifetime(connector.sessionTime)
  }

  /** The greeting of a session, or of the client that a proxy turns out to speak for (RFC 5321 section 4.2). */
  greet(): void {
    this.reply({ code: 220, lines: [`${this.session.services.hostname} ${this.connector.banner}`] })
  }

  /** Puts a reply into the group that goes out when the client has to be awaited. */
  reply(reply: Reply): void {
    this.#refused ||= reply.code >= 500
    this.client.hold(formatReply(reply))
  }

  /** A mistake of the client: answered, counted, and too many of them end the session. */
  mistake(reply: Reply): Next {
    this.reply(reply)
    this.errors += 1
    if (this.errors < (this.connector.maxErrors ?? this.session.services.limits.badCommands)) return 'next'
    return this.dismiss(REPLIES.tooManyErrors, 'too-many-errors')
  }

  /** Lets a stranger wait for a refusal, if the command came to one. How long AUTH has to wait is the auth core's to say. */
  async holdRefusals(command: Command['kind'] | 'bad'): Promise<void> {
    const refused = this.#refused
    this.#refused = false
    if (refused && command !== 'auth' && this.authenticated === undefined)
      await this.client.pause(this.connector.tarpit)
  }

  /** The last word. */
  dismiss(reply: Reply, why: Ended): Ended {
    this.reply(reply)
    return why
  }

  /** Gives the open transaction up; each backend confirms RSET or is dropped. */
  async resetTransaction(): Promise<void> {
    const envelope = this.closeTransaction()
    if (envelope !== undefined && envelope.branches.length > 0) await this.resetBranches(envelope.branches)
  }

  /** The same for some branches of a message. */
  async resetBranches(branches: readonly Branch[]): Promise<void> {
    const { settings, session } = this
    await together(session.signal, branches, async ({ backend }, signal) => {
      if (backend.over) return
      const answer = await backend.command('RSET', settings.backendReply, signal)
      if (answer.kind === 'lost' || answer.reply.code !== 250) backend.drop()
    })
  }

  /** The transaction is over without the backends' consent: none of them may end what it has of it. */
  dropTransaction(): void {
    for (const { backend } of this.closeTransaction()?.branches ?? []) backend.drop()
  }

  /** The transaction is over, whatever the backends believe. */
  closeTransaction(): Envelope | undefined {
    const { envelope } = this
    envelope?.passage?.close()
    this.envelope = undefined
    return envelope
  }

  /** Nothing that was said in the clear holds under TLS, who signed in there least of all. */
  forgetSender(): void {
    this.helo = undefined
    this.authenticated = undefined
    this.way = undefined
    this.leaveBackends(() => true)
  }

  /** Another client from here on: nothing of what was said before is its own. */
  restart(connector: Connector): void {
    this.forgetSender()
    this.connector = connector
    this.offered = new Set()
    this.failures = 0
    this.errors = 0
    this.client.setIdle(connector.idle)
    this.client.setLifetime(connector.sessionTime)
  }

  /** Leaves backends that have accepted the sender of a message and none of its recipients: they would not hear of another. */
  leaveEmpty(branches: readonly Branch[]): void {
    const empty = branches.filter(({ recipients }) => recipients === 0)
    if (empty.length > 0) this.leaveBackends((backend) => empty.some((branch) => branch.backend === backend))
  }

  /** Ends backend connections that this session needs no more, and forgets those that are over. */
  leaveBackends(unneeded: (backend: BackendSession) => boolean): void {
    for (const [key, backend] of this.backends) {
      if (!unneeded(backend)) continue
      backend.giveBack()
      this.backends.delete(key)
    }
  }

  /** Everything is over: the last words, the backends, and the client's leg behind them. Resolves when the client has it all. */
  async finish(why: Ended): Promise<void> {
    this.agents?.end()
    const words = LAST_WORDS[why]
    if (words !== undefined) this.reply(words)
    this.closeTransaction()
    if (why === 'server-bug') for (const backend of this.backends.values()) backend.drop()
    this.leaveBackends(() => true)
    if (why === 'plaintext-behind-starttls' || why === 'tls-failed') this.session.leg.destroy()
    await this.client.close()
  }
}
