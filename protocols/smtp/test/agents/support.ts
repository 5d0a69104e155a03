// SPDX-License-Identifier: MIT
import { CancellationSource } from '@portico/base'
import { createTimerWheel, type TimerWheel } from '@portico/net'
import type { Protocol } from '@portico/session'
import { createMemoryStore } from '@portico/state'
import { createMetrics, type Log, type LogFacts, type Metrics } from '@portico/telemetry'
import { createFakeClock, type FakeClock } from '@portico/testkit'
import type { Mailbox } from '../../src/address.js'
import { type Agent, type AgentHandlers, type AgentSession, PASS } from '../../src/agents/agent.js'
import { agentMetrics } from '../../src/agents/agent-metrics.js'
import type { AgentBlock, AgentNeeds, AgentType } from '../../src/agents/agent-type.js'
import { agentsSchema } from '../../src/agents/agents-schema.js'
import { AgentRun } from '../../src/agents/run-agents.js'
import { smtp } from '../../src/index.js'
import type { HeaderEdits } from '../../src/message/header-fields.js'
import type { SpooledMessage } from '../../src/message/spool.js'
import type { SmtpSettings } from '../../src/schema.js'
import { sharedOf } from '../../src/shared.js'
import { fakeResolver } from './fake-resolver.js'

/** A session of a stranger on the connector `inbound`. */
export const SESSION: AgentSession = {
  id: 's1',
  peer: { address: '192.0.2.7', port: 40_000, family: 4 },
  local: { address: '192.0.2.1', port: 25, family: 4 },
  tls: undefined,
  networks: [],
  isProxy: false,
  connector: 'inbound',
  hostname: 'portico.test.lan',
  hello: undefined,
  user: undefined,
  bypassesAntiSpam: false,
  tellsOfCalls: false,
  input: () => Promise.resolve('cancelled'),
}

export interface LogLine extends LogFacts {
  readonly level: string
  readonly message: string
}

/** A log that can be read. */
export function listeningLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: string) => (message: string, facts?: LogFacts) => void lines.push({ level, message, ...facts })
  const log = { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  return log
}

/** An agent of which a test says only what matters. */
export function agent(handlers: AgentHandlers | undefined, more: Partial<Omit<Agent, 'open'>> = {}): Agent {
  return {
    name: 'test',
    antiSpam: true,
    deadline: 5_000,
    whenAway: 'pass',
    audit: false,
    action: 'reject',
    scl: undefined,
    open: () => handlers,
    ...more,
  }
}

/** An agent as a block of the configuration makes it; it may use what a test gives it of the rest. */
export function made<S extends AgentBlock>(
  type: AgentType<S>,
  written: object,
  needs: Partial<AgentNeeds> = {},
): Agent {
  const [settings] = agentsSchema.parse([{ type: type.type, ...written }])
  const clock = createFakeClock()
  const all = {
    ...{ clock, wheel: createTimerWheel(clock), log: listeningLog(), state: createMemoryStore({ clock }) },
    ...{ resolver: fakeResolver(), hostname: SESSION.hostname, domains: ['test.lan'] },
    pathOf: (path: string) => path,
    disposeWhenRetired: () => {},
  }
  return type.make(settings as S, { ...all, ...needs })
}

/** An agent that only writes down that it was asked. */
export function witness(name: string, heard: string[], more: Partial<Omit<Agent, 'open'>> = {}): Agent {
  const hear = (event: string) => () => {
    heard.push(`${name} ${event}`)
    return PASS
  }
  const handlers = {
    connect: hear('connect'),
    ehlo: hear('ehlo'),
    mail: hear('mail'),
    rcpt: hear('rcpt'),
    headers: hear('headers'),
    dataEnd: hear('dataEnd'),
    end: () => void heard.push(`${name} end`),
  }
  return agent(handlers, { name, ...more })
}

/** Edits that put one field in front. */
export function prepending(field: string): HeaderEdits {
  return { remove: () => false, prepend: [field] }
}

export interface Staged {
  readonly run: AgentRun
  readonly clock: FakeClock
  readonly signal: CancellationSource
  readonly metrics: Metrics
  readonly lines: LogLine[]
}

/** The agents of one session, on a clock that stands still, or by a wheel of the test's own. */
export function stage(
  agents: readonly Agent[],
  session: Partial<AgentSession> = {},
  wheel: TimerWheel | undefined = undefined,
): Staged {
  const clock = createFakeClock()
  const signal = new CancellationSource()
  const log = listeningLog()
  const metrics = createMetrics()
  const there = Object.create(SESSION, Object.getOwnPropertyDescriptors(session)) as AgentSession
  const run = new AgentRun({
    session: there,
    agents,
    clock,
    wheel: wheel ?? createTimerWheel(clock),
    log,
    metrics: agentMetrics(metrics),
    signal,
  })
  return { run, clock, signal, metrics, lines: log.lines }
}

/** A message that is whole and here, which is read in pieces of some length. */
export function kept(text: string, length = 1_000): SpooledMessage {
  const octets = Buffer.from(text)
  return {
    size: octets.length,
    async read(take) {
      for (let at = 0; at < octets.length; at += length) {
        if (!(await take(octets.subarray(at, at + length)))) return 'stopped'
      }
      return 'done'
    },
    start: async (limit) => octets.subarray(0, limit),
  }
}

/** An address as RCPT has it. */
export function recipient(text: string): Mailbox {
  const at = text.lastIndexOf('@')
  const [local, domain] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
  return { text, local, domain, international: false }
}

/** Keeps what has to be disposed of at the end of a test. */
export function disposables(): Disposable & { add(one: Disposable): void } {
  const kept: Disposable[] = []
  return {
    add: (one) => void kept.push(one),
    [Symbol.dispose]() {
      for (const one of kept) one[Symbol.dispose]()
    },
  }
}

/** Agents are opened for a session only where the configuration has one: the transcripts name one that does not matter. */
export function withAgents(agents: readonly Agent[]): Protocol<SmtpSettings> {
  return {
    ...smtp,
    serve(session, settings) {
      sharedOf(settings).agents ??= new Map([['inbound', agents]])
      return smtp.serve(session, settings)
    },
  }
}
