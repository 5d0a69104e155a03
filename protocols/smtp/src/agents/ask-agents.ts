// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { Ended } from '@portico/session'
import { isSignedIn } from '../connector/access.js'
import { may } from '../connector/permissions.js'
import type { Dialogue, Next } from '../dialogue.js'
import type { Reply } from '../replies.js'
import type { AgentSession, EventFacts, HelloFacts } from './agent.js'
import { agentMetricsOf, agentsOf } from './agent-set.js'
import { AgentRun, type Verdict } from './run-agents.js'

/**
 * Opens the agents of a client and puts its coming to them: before the greeting, or (`greeting` false) when a proxy has told whom it
 * speaks for. Undefined: it may go on.
 */
export async function admitByAgents(dialogue: Dialogue, greeting: boolean): Promise<Ended | undefined> {
  const { session, settings, connector } = dialogue
  dialogue.agents?.end()
  dialogue.agents = undefined
  const agents = agentsOf(settings, connector, session.services)
  if (agents.length === 0) return undefined
  const { clock, wheel, log } = session.services
  const metrics = agentMetricsOf(settings, session.services)
  const view = new SessionView(dialogue)
  const run = new AgentRun({ session: view, agents, clock, wheel, log, metrics, signal: session.signal })
  dialogue.agents = run
  const verdict = await run.ask('connect', { greeting })
  if (verdict.kind === 'go') return undefined
  return verdict.kind === 'gone' ? dialogue.client.ended : dialogue.dismiss(verdict.reply, 'refused')
}

/**
 * Puts a command to the agents. Undefined: nothing against it. A refusal is said by `refuse`, which a command may have of its own.
 * Only where there are agents.
 */
export async function hindrance<E extends 'ehlo' | 'mail' | 'rcpt'>(
  dialogue: Dialogue,
  event: E,
  facts: EventFacts[E],
  refuse: (reply: Reply) => Next | Promise<Next> = (reply) => {
    dialogue.reply(reply)
    return 'next'
  },
): Promise<Next | undefined> {
  const verdict: Verdict | undefined = await dialogue.agents?.ask(event, facts)
  if (verdict === undefined || verdict.kind === 'go') return undefined
  if (verdict.kind === 'gone') return dialogue.client.ended
  return verdict.close ? dialogue.dismiss(verdict.reply, 'refused') : refuse(verdict.reply)
}

/** A dialogue as agents see it. */
class SessionView implements AgentSession {
  readonly #dialogue: Dialogue

  constructor(dialogue: Dialogue) {
    this.#dialogue = dialogue
  }

  get id() {
    return this.#dialogue.session.id
  }

  get peer() {
    return this.#dialogue.session.leg.facts.peer
  }

  get local() {
    return this.#dialogue.session.leg.facts.local
  }

  get tls() {
    return this.#dialogue.session.leg.tls
  }

  get networks() {
    return this.#dialogue.session.networks
  }

  get isProxy() {
    return this.#dialogue.session.isProxy
  }

  get connector() {
    return this.#dialogue.connector.name
  }

  get hostname() {
    return this.#dialogue.session.services.hostname
  }

  get hello(): HelloFacts | undefined {
    return this.#dialogue.helo
  }

  get user() {
    return isSignedIn(this.#dialogue) ? this.#dialogue.authenticated?.principal.user : undefined
  }

  get bypassesAntiSpam() {
    return may(this.#dialogue.connector, isSignedIn(this.#dialogue), 'bypass-anti-spam')
  }

  get tellsOfCalls() {
    return may(this.#dialogue.connector, isSignedIn(this.#dialogue), 'telephony-headers')
  }

  input(signal: Cancellation): Promise<'input' | 'gone' | 'cancelled'> {
    return this.#dialogue.client.awaitInput(signal)
  }
}
