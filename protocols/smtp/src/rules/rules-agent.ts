// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { Log } from '@portico/telemetry'
import {
  type Agent,
  type AgentHandlers,
  type AgentSession,
  type DataEndFacts,
  type HeadersFacts,
  type Opinion,
  PASS,
} from '../agents/agent.js'
import { type AgentNeeds, type AgentType, agentBasics } from '../agents/agent-type.js'
import { say } from '../replies.js'
import type { Changes, Decided, Outcome, Step } from './decide.js'
import { makeDisclaimers } from './disclaimer/disclaimer.js'
import { judgeHeader, judgeMessage } from './judge-message.js'
import type { RuleFacts } from './rule-facts.js'
import { fileProblems, openRules } from './rule-source.js'
import { RULES_PRIORITY, type RulesSettings, rulesAgentSchema } from './rules-schema.js'

const UNREADABLE = say(451, '4.7.1', 'Message content cannot be judged, try again later')

/** Said to nobody: the message goes on, to another mailbox. */
const QUARANTINED = say(550, '5.7.1', 'Message refused by policy')

/** The site's rules, asked about every message. */
function make(settings: RulesSettings, { clock, log, pathOf }: Pick<AgentNeeds, 'clock' | 'log' | 'pathOf'>): Agent {
  const source = openRules(settings, { clock, log, pathOf })
  return {
    name: 'rules',
    antiSpam: false,
    ...agentBasics(settings),
    // A policy that fails is not one that allows.
    whenAway: 'tempfail',
    open: (session) => handlers(session, { settings, log, source }),
  }
}

interface Parts {
  readonly settings: RulesSettings
  readonly log: Log
  readonly source: ReturnType<typeof openRules>
}

/** One message is judged by one set of rules: another one counts from the next message on. */
function handlers(session: AgentSession, { settings, log, source }: Parts): AgentHandlers {
  let set = source.current
  // Of a partner's fax it may be known at its end alone that it is one.
  const event = () => (session.tellsOfCalls ? 'dataEnd' : set.event)
  const told = ({ steps, events }: Decided) => report(log, session, steps, events)
  return {
    get headers() {
      if (event() !== 'headers' || set.rules.length === 0) return undefined
      return (facts: HeadersFacts) => {
        const decision = judgeHeader(set, factsOf(settings, session, facts))
        told(decision)
        return opinionOf(decision.outcome)
      }
    },
    get dataEnd() {
      if (event() !== 'dataEnd' || set.rules.length === 0) return undefined
      return async (facts: DataEndFacts, signal: Cancellation) => {
        const decision = await judgeMessage(set, factsOf(settings, session, facts), facts.message, signal)
        told(decision)
        return opinionOf(decision.outcome)
      }
    },
    concluded() {
      set = source.current
    },
  }
}

function factsOf(
  { inside, text }: RulesSettings,
  { peer, user, networks }: AgentSession,
  { envelope, fields, notes }: HeadersFacts,
): RuleFacts {
  return {
    envelope,
    fields,
    client: peer.family === 'unix' ? undefined : peer.address,
    inside: user !== undefined || inside.some((name) => networks.includes(name)),
    size: undefined,
    scl: notes.scl,
    types: notes.types,
    content: undefined,
    text,
  }
}

/** One line for each rule that fires: why and what, in the rule's words and none of the message's. */
function report(log: Log, session: AgentSession, steps: readonly Step[], events: Decided['events']): void {
  const about = { session: session.id, client: session.peer.address, connector: session.connector }
  for (const { fired, rule, mode, conditions, actions } of steps) {
    if (!fired) continue
    const why = conditions.map(({ condition, value }) => `${condition}: ${value}`)
    log.info('a mail-flow rule fired', { ...about, rule, mode, why, actions })
  }
  for (const { rule, text } of events) log.info('a mail-flow rule says', { ...about, rule, text })
}

function opinionOf(outcome: Outcome): Opinion {
  switch (outcome.kind) {
    case 'go':
      return passing(outcome)
    case 'refuse':
      return outcome
    case 'discard':
      return { kind: 'discard', reason: outcome.rule }
    case 'unreadable':
      return { kind: 'refuse', reply: UNREADABLE }
    case 'quarantine': {
      const { rule, address, edits, setScl } = outcome
      // The core's own: nobody whom other agents add gets it beside.
      const action = { quarantine: address.text }
      return {
        ...{ kind: 'against', reply: QUARANTINED, reason: rule, action },
        ...(edits === undefined ? {} : { edits }),
        ...(setScl === undefined ? {} : { notes: { setScl } }),
      }
    }
  }
}

function passing({ edits, envelope, setScl, disclaimers }: Changes): Opinion {
  if ([edits, envelope, setScl, disclaimers].every((change) => change === undefined)) return PASS
  return {
    kind: 'pass',
    ...(edits === undefined ? {} : { edits }),
    ...(envelope === undefined ? {} : { envelope }),
    ...(setScl === undefined ? {} : { notes: { setScl } }),
    ...(disclaimers === undefined ? {} : { rewrite: makeDisclaimers(disclaimers) }),
  }
}

/** The agent type `rules`. */
export const rules: AgentType<RulesSettings> = {
  type: 'rules',
  priority: RULES_PRIORITY,
  everywhere: true,
  schema: rulesAgentSchema,
  make,
  problems: (settings, { pathOf }) => fileProblems(settings, pathOf),
}
