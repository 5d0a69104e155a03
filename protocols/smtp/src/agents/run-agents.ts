// SPDX-License-Identifier: MIT
import { type Cancellation, CancellationSource, type Clock } from '@portico/base'
import type { TimerWheel } from '@portico/net'
import type { Log } from '@portico/telemetry'
import type { Mailbox } from '../address.js'
import type { HeaderEdits } from '../message/header-fields.js'
import { REPLIES, type Reply } from '../replies.js'
import type {
  Agent,
  AgentEvent,
  AgentHandlers,
  AgentSession,
  EnvelopeEdits,
  EventFacts,
  EventHandlers,
  Handler,
  Opinion,
  Pass,
  Rewrite,
} from './agent.js'
import type { AgentMetrics } from './agent-metrics.js'
import { Marks } from './marks.js'
import { isMute, nameOfAction, REPORTS, temporary, toldOf } from './told.js'

/** What the agents together have come to. `gone`: the session ended meanwhile. */
export type Verdict =
  | Go
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly close: boolean }
  | { readonly kind: 'gone' }

/** It may go on, with what agents want to be changed. */
export interface Go {
  readonly kind: 'go'
  /** At the end of a message: it goes to nobody. */
  readonly discard: boolean
  readonly edits: readonly HeaderEdits[]
  readonly envelope: readonly EnvelopeEdits[]
  readonly rewrites: readonly Rewrite[]
}

/** Nobody has anything against it. */
export const GO: Go = { kind: 'go', discard: false, edits: [], envelope: [], rewrites: [] }

export interface AgentRunOptions {
  readonly session: AgentSession
  /** In the order in which they are asked. */
  readonly agents: readonly Agent[]
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly log: Log
  readonly metrics: AgentMetrics
  /** The session's own. Its slot is taken while an agent is awaited. */
  readonly signal: Cancellation
}

type Against = Extract<Opinion, { kind: 'against' }>
type Changes = { readonly edits: HeaderEdits[]; readonly envelope: EnvelopeEdits[]; readonly rewrites: Rewrite[] }

interface Opened {
  readonly agent: Agent
  readonly handlers: AgentHandlers
}

/** What came of asking one agent. */
type Answer = { readonly kind: 'opinion'; readonly opinion: Opinion } | Away | { readonly kind: 'gone' }
type Away = { readonly kind: 'away'; readonly why: 'deadline' | 'failed'; readonly error?: unknown }

/**
 * The agents of one session. Each event is put to one after another until one refuses; no agent can hold a session longer than its
 * deadline, and what a late one still says is dropped.
 */
export class AgentRun {
  readonly #options: AgentRunOptions
  readonly #opened: readonly Opened[]
  #exempt = false
  readonly #ofClient = new Marks()
  #ofHello = new Marks()
  #ofMessage = new Marks()

  constructor(options: AgentRunOptions) {
    this.#options = options
    this.#opened = options.agents.flatMap((agent) => {
      const handlers = agent.open(options.session)
      return handlers === undefined ? [] : [{ agent, handlers }]
    })
  }

  /** Puts an event to the agents, at once where none of them wants to hear of it. Never rejects. */
  ask<E extends AgentEvent>(event: E, facts: EventFacts[E]): Verdict | Promise<Verdict> {
    this.#begin(event)
    return this.wants(event) ? this.#askAll(event, facts) : GO
  }

  /** Some agent wants to hear of an event: the answers may have to be awaited, and the session's slot has to be free. */
  wants(event: AgentEvent): boolean {
    return this.#opened.some(({ agent, handlers }) => handlers[event] !== undefined && this.#hears(agent))
  }

  async #askAll<E extends AgentEvent>(event: E, facts: EventFacts[E]): Promise<Verdict> {
    const changes: Changes = { edits: [], envelope: [], rewrites: [] }
    for (const opened of this.#opened) {
      const { agent, handlers } = opened
      const events: EventHandlers = handlers
      const handler = events[event]
      if (handler === undefined || !this.#hears(agent)) continue
      const answer = await this.#answerOf(agent, event, handler, facts)
      if (answer.kind === 'gone') return answer
      const opinion = answer.kind === 'away' ? this.#insteadOf(agent, event, answer) : answer.opinion
      const verdict = this.#weigh(opened, event, opinion, changes)
      if (verdict !== undefined) return verdict
    }
    const isNothing = changes.edits.length + changes.envelope.length + changes.rewrites.length === 0
    return isNothing ? GO : { ...GO, ...changes }
  }

  /** What is known of the message under way, or of the client before it has begun one. */
  get notes(): Marks {
    return this.#ofMessage
  }

  /** The message has to be kept until its end is here: somebody wants to see all of it, or may send it elsewhere. */
  needsBody(): boolean {
    return this.#ofMessage.quarantine !== undefined || this.wants('dataEnd') || this.#mayKeepAway()
  }

  #mayKeepAway(): boolean {
    return this.#opened.some(
      ({ agent, handlers }) =>
        typeof agent.action === 'object' && !agent.audit && handlers.headers !== undefined && this.#hears(agent),
    )
  }

  /** A recipient does not exist, by the word of its backend or of the directory. */
  unknown(recipient: Mailbox): void {
    this.#tellAll(({ agent, handlers }) => {
      if (this.#hears(agent)) handlers.unknown?.(recipient)
    })
  }

  /** The message is over, and whether the backends have taken it. */
  concluded(accepted: boolean): void {
    this.#tellAll(({ agent, handlers }) => {
      if (this.#hears(agent)) handlers.concluded?.(accepted, this.#ofMessage)
    })
  }

  /** The session is over. */
  end(): void {
    this.#tellAll(({ handlers }) => handlers.end?.())
  }

  /** Tells agents something that they have no say in. */
  #tellAll(tell: (opened: Opened) => void): void {
    for (const opened of this.#opened) {
      try {
        tell(opened)
      } catch (error) {
        this.#options.log.error('an agent failed where it is only told something', {
          ...this.#about(opened.agent),
          error,
        })
      }
    }
  }

  /** The one place where anti-spam agents are left out. */
  #hears(agent: Agent): boolean {
    return !agent.antiSpam || !(this.#exempt || this.#options.session.bypassesAntiSpam)
  }

  #answerOf<F>(agent: Agent, event: AgentEvent, handler: Handler<F>, facts: F): Answer | Promise<Answer> {
    const patience = new CancellationSource()
    try {
      const opinion = handler(facts, patience)
      return 'then' in opinion ? this.#awaited(agent, event, opinion, patience) : { kind: 'opinion', opinion }
    } catch (error) {
      return { kind: 'away', why: 'failed', error }
    }
  }

  #awaited(agent: Agent, event: AgentEvent, answer: Promise<Opinion>, patience: CancellationSource): Promise<Answer> {
    const { clock, wheel, signal, metrics } = this.#options
    const since = clock.now()
    return new Promise((resolve) => {
      let over = false
      const settle = (outcome: Answer): void => {
        if (over) return
        over = true
        metrics.took(agent, event, clock.now() - since)
        timer?.cancel()
        signal.onAbort = undefined
        resolve(outcome)
      }
      const timer =
        agent.deadline === undefined
          ? undefined
          : wheel.add(agent.deadline, () => {
              settle({ kind: 'away', why: 'deadline' })
              patience.abort('deadline')
            })
      signal.onAbort = (reason) => {
        settle({ kind: 'gone' })
        patience.abort(reason)
      }
      answer.then(
        (opinion) => settle({ kind: 'opinion', opinion }),
        (error: unknown) => settle({ kind: 'away', why: 'failed', error }),
      )
    })
  }

  #insteadOf(agent: Agent, event: AgentEvent, { why, error }: Away): Opinion {
    const facts = { ...this.#about(agent), event, why, whenAway: agent.whenAway, error }
    this.#options.metrics.away(agent, event, why)
    this.#options.log.warn('an agent gave no answer', facts)
    if (agent.whenAway === 'pass') return { kind: 'pass' }
    // Before MAIL there is nothing to try again but the whole session (RFC 5321 section 3.8).
    if (event === 'connect' || event === 'ehlo') return { kind: 'refuse', reply: REPLIES.agentAway, close: true }
    return { kind: 'refuse', reply: REPLIES.backendTrouble }
  }

  /** Makes of an opinion what its agent's settings say. Undefined: the others are asked. */
  #weigh({ agent }: Opened, event: AgentEvent, opinion: Opinion, changes: Changes): Verdict | undefined {
    this.#options.metrics.thought(agent, event, opinion)
    if (agent.audit) {
      if (!isMute(opinion)) this.#report('an agent only watches', agent, event, opinion)
      return undefined
    }
    switch (opinion.kind) {
      case 'exempt':
        this.#exempt = true
        return undefined
      case 'pass':
        this.#take(event, opinion, changes)
        return undefined
      case 'refuse':
        this.#report('an agent refused', agent, event, opinion)
        return { kind: 'refuse', reply: opinion.reply, close: opinion.close === true }
      case 'discard':
        this.#report('an agent discarded a message', agent, event, opinion)
        return { ...GO, discard: true }
      case 'against':
        return this.#act(agent, event, opinion, changes)
    }
  }

  #take(event: AgentEvent, { edits, notes, envelope, rewrite }: Pass, changes: Changes): void {
    if (notes !== undefined) this.#marksAt(event).note(notes)
    if (edits !== undefined) changes.edits.push(edits)
    if (envelope !== undefined) changes.envelope.push(envelope)
    if (rewrite !== undefined) changes.rewrites.push(rewrite)
  }

  #act(agent: Agent, event: AgentEvent, opinion: Against, changes: Changes): Verdict | undefined {
    const { scl } = agent
    const action = opinion.action ?? agent.action
    const refused = action === 'reject' && opinion.reply.code >= 500
    const finding = { agent: agent.name, event, reason: opinion.reason, refused }
    const marks = this.#marksAt(event)
    marks.find(finding)
    if (opinion.notes !== undefined) marks.note(opinion.notes)
    this.#tellAll((other) => {
      if (other.agent !== agent && this.#hears(other.agent)) other.handlers.heard?.(finding)
    })
    this.#report(REPORTS[nameOfAction(action)], agent, event, opinion)
    if (typeof action === 'object') marks.keepAway({ ...finding, scl, address: action.quarantine })
    else if (action === 'tag') marks.tag({ ...finding, scl })
    else {
      const reply = action === 'tempfail' ? temporary(opinion.reply, event) : opinion.reply
      return { kind: 'refuse', reply, close: opinion.close === true }
    }
    if (opinion.edits !== undefined) changes.edits.push(opinion.edits)
    return undefined
  }

  /** Whom a finding at an event is about: the client, what it calls itself, or one message. */
  #marksAt(event: AgentEvent): Marks {
    if (event !== 'connect' && event !== 'ehlo') return this.#ofMessage
    return event === 'connect' ? this.#ofClient : this.#ofHello
  }

  /** What was found at an event that begins anew is forgotten. */
  #begin(event: AgentEvent): void {
    if (event === 'ehlo') this.#ofHello = new Marks()
    if (event === 'mail') this.#ofMessage = Marks.of(this.#ofClient, this.#ofHello)
  }

  #report(message: string, agent: Agent, event: AgentEvent, opinion: Opinion): void {
    const facts = { ...this.#about(agent), event, opinion: opinion.kind, ...toldOf(opinion) }
    this.#options.log.info(message, facts)
  }

  #about(agent: Agent) {
    const { id, peer, connector } = this.#options.session
    return { session: id, client: peer.address, connector, agent: agent.name }
  }
}
