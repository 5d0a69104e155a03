// SPDX-License-Identifier: MIT
import { type Cancellation, CancellationSource } from '@portico/base'
import type { TimerWheel } from '@portico/net'
import type { Log } from '@portico/telemetry'
import type { HeaderEdits } from '../message/header-fields.js'
import { formatReply, REPLIES, type Reply } from '../replies.js'
import type {
  Agent,
  AgentEvent,
  AgentHandlers,
  AgentSession,
  EventFacts,
  EventHandlers,
  Handler,
  Opinion,
} from './agent.js'

/** What the agents together have come to. `gone`: the session ended meanwhile. */
export type Verdict =
  | { readonly kind: 'go'; readonly edits: readonly HeaderEdits[] }
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly close: boolean }
  | { readonly kind: 'gone' }

/** Nobody has anything against it. */
export const GO: Verdict = { kind: 'go', edits: [] }

export interface AgentRunOptions {
  readonly session: AgentSession
  /** In the order in which they are asked. */
  readonly agents: readonly Agent[]
  readonly wheel: TimerWheel
  readonly log: Log
  /** The session's own. Its slot is taken while an agent is awaited. */
  readonly signal: Cancellation
}

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

  constructor(options: AgentRunOptions) {
    this.#options = options
    this.#opened = options.agents.flatMap((agent) => {
      const handlers = agent.open(options.session)
      return handlers === undefined ? [] : [{ agent, handlers }]
    })
  }

  /** Puts an event to the agents, at once where none of them wants to hear of it. Never rejects. */
  ask<E extends AgentEvent>(event: E, facts: EventFacts[E]): Verdict | Promise<Verdict> {
    return this.wants(event) ? this.#askAll(event, facts) : GO
  }

  /** Some agent wants to hear of an event: the answers may have to be awaited, and the session's slot has to be free. */
  wants(event: AgentEvent): boolean {
    return this.#opened.some(({ agent, handlers }) => handlers[event] !== undefined && this.#hears(agent))
  }

  async #askAll<E extends AgentEvent>(event: E, facts: EventFacts[E]): Promise<Verdict> {
    const edits: HeaderEdits[] = []
    for (const { agent, handlers } of this.#opened) {
      const events: EventHandlers = handlers
      const handler = events[event]
      if (handler === undefined || !this.#hears(agent)) continue
      const answer = await this.#answerOf(agent, handler, facts)
      if (answer.kind === 'gone') return answer
      const opinion = answer.kind === 'away' ? this.#insteadOf(agent, event, answer) : answer.opinion
      const verdict = this.#weigh(agent, event, opinion, edits)
      if (verdict !== undefined) return verdict
    }
    return edits.length === 0 ? GO : { kind: 'go', edits }
  }

  /** Somebody will want to see the whole message: it has to be kept until its end is here. */
  needsBody(): boolean {
    return this.wants('dataEnd')
  }

  /** The session is over. */
  end(): void {
    for (const { agent, handlers } of this.#opened) {
      try {
        handlers.end?.()
      } catch (error) {
        this.#options.log.error('an agent failed at the end of a session', { ...this.#about(agent), error })
      }
    }
  }

  /** The one place where anti-spam agents are left out. */
  #hears(agent: Agent): boolean {
    return !agent.antiSpam || !(this.#exempt || this.#options.session.bypassesAntiSpam)
  }

  #answerOf<F>(agent: Agent, handler: Handler<F>, facts: F): Answer | Promise<Answer> {
    const patience = new CancellationSource()
    try {
      const opinion = handler(facts, patience)
      return 'then' in opinion ? this.#awaited(agent, opinion, patience) : { kind: 'opinion', opinion }
    } catch (error) {
      return { kind: 'away', why: 'failed', error }
    }
  }

  #awaited(agent: Agent, answer: Promise<Opinion>, patience: CancellationSource): Promise<Answer> {
    const { wheel, signal } = this.#options
    return new Promise((resolve) => {
      let over = false
      const settle = (outcome: Answer): void => {
        if (over) return
        over = true
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
    const facts = {
      ...this.#about(agent),
      event,
      why,
      whenAway: agent.whenAway,
      ...(error === undefined ? {} : { error }),
    }
    this.#options.log.warn('an agent gave no answer', facts)
    if (agent.whenAway === 'pass') return { kind: 'pass' }
    // Before MAIL there is nothing to try again but the whole session (RFC 5321 section 3.8).
    if (event === 'connect' || event === 'ehlo') return { kind: 'refuse', reply: REPLIES.agentAway, close: true }
    return { kind: 'refuse', reply: REPLIES.backendTrouble }
  }

  #weigh(agent: Agent, event: AgentEvent, opinion: Opinion, edits: HeaderEdits[]): Verdict | undefined {
    if (agent.audit) {
      // What it would only take out may be in no message at all.
      const isMute = opinion.kind === 'pass' && (opinion.edits?.prepend ?? []).length === 0
      if (!isMute) this.#report('an agent only watches', agent, event, opinion)
      return undefined
    }
    if (opinion.kind === 'exempt') this.#exempt = true
    else if (opinion.kind === 'pass') {
      if (opinion.edits !== undefined) edits.push(opinion.edits)
    } else {
      this.#report('an agent refused', agent, event, opinion)
      return { kind: 'refuse', reply: opinion.reply, close: opinion.close === true }
    }
    return undefined
  }

  #report(message: string, agent: Agent, event: AgentEvent, opinion: Opinion): void {
    const words = opinion.kind === 'refuse' ? { reply: formatReply(opinion.reply).trimEnd() } : {}
    const edits = opinion.kind === 'pass' ? { fields: opinion.edits?.prepend } : {}
    this.#options.log.info(message, { ...this.#about(agent), event, opinion: opinion.kind, ...words, ...edits })
  }

  #about(agent: Agent) {
    const { id, peer, connector } = this.#options.session
    return { session: id, client: peer.address, connector, agent: agent.name }
  }
}
