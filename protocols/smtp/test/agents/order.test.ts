// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { createTimerWheel } from '@portico/net'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import type {
  Agent,
  AgentEvent,
  AgentHandlers,
  AgentSession,
  EventFacts,
  EventHandlers,
} from '../../src/agents/agent.js'
import { agentsOf } from '../../src/agents/agent-set.js'
import { AGENT_TYPES } from '../../src/agents/agent-types.js'
import { parseHeader } from '../../src/message/header-fields.js'
import type { SpooledMessage } from '../../src/message/spool.js'
import { smtpSchema } from '../../src/schema.js'
import { listeningLog, recipient, SESSION, stage } from './support.js'

/** What a block has to say besides its type. */
const BLOCKS: Readonly<Record<string, object>> = {
  'ip-list': { allow: ['192.0.2.88'] },
  helo: { iprev: true },
  'dns-list': { providers: [{ zone: 'bl.example' }] },
  milter: { endpoint: '127.0.0.1:1' },
}

/** The agents of the connector for strangers, from blocks written in this order. */
function agentsFrom(written: readonly object[]): readonly Agent[] {
  const settings = smtpSchema.parse({ connectors: { inbound: { domains: ['test.lan'] } }, agents: written })
  const inbound = settings.connectors.get('inbound')
  if (inbound === undefined) throw new Error('there is no connector for strangers')
  const clock = createFakeClock()
  return agentsOf(settings, inbound, {
    ...{ clock, wheel: createTimerWheel(clock), log: listeningLog(), state: createMemoryStore({ clock }) },
    hostname: SESSION.hostname,
    pathOf: (path) => path,
    disposeWhenRetired: () => {},
  })
}

const ALL = AGENT_TYPES.map(({ type }) => ({ type, ...BLOCKS[type] }))
const names = (agents: readonly Agent[]) => agents.map(({ name }) => name)
const byPriority = AGENT_TYPES.toSorted((one, other) => one.priority - other.priority).map(({ type }) => type)

describe('the order of asking', () => {
  test('is that of the priorities, however the blocks are written', () => {
    expect(names(agentsFrom(ALL))).toEqual(byPriority)
    expect(names(agentsFrom(ALL.toReversed()))).toEqual(byPriority)
  })

  test('is another one where the site wants that', () => {
    const blocks = ALL.map((block) => (block.type === 'reputation' ? { ...block, priority: 0 } : block))
    const others = byPriority.filter((name) => name !== 'reputation')
    expect(names(agentsFrom(blocks))).toEqual(['reputation', ...others])
  })

  test('of two of one type is that in which they are written', () => {
    const agents = agentsFrom([{ type: 'sender-filter', scl: 1 }, { type: 'helo' }, { type: 'sender-filter', scl: 2 }])
    expect(agents.map(({ name, scl }) => [name, scl])).toEqual([
      ['helo', undefined],
      ['sender-filter', 1],
      ['sender-filter', 2],
    ])
  })

  test('is what the page says', () => {
    const page = readFileSync(new URL('../../../../docs/anti-spam.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| (?:\[([a-z-]+)\]\([^)]*\)|([a-z-]+)) \| (\d+) \|/gm)]
    const described = rows.map(([, linked, plain, priority]) => [linked ?? plain, Number(priority)] as const)
    expect(described).toEqual(described.toSorted(([, one], [, other]) => one - other))
    const types = new Map(AGENT_TYPES.map(({ type, priority }) => [type, priority]))
    expect(described.filter(([type]) => types.has(type ?? ''))).toEqual(
      byPriority.map((type) => [type, types.get(type)]),
    )
  })
})

describe('who asks a service', () => {
  test('has a deadline and a word for its absence, as the page says', () => {
    const page = readFileSync(new URL('../../../../docs/anti-spam.md', import.meta.url), 'utf8')
    const rows = Array.from(page.matchAll(/^\| ([a-z-]+) \| [^|]* \| (\d+)s \| (pass|tempfail)\b/gm), (row) =>
      row.slice(1),
    )
    const asking = agentsFrom(ALL).flatMap(({ name, whenAway }) => {
      const { deadline } = smtpSchema.parse({ agents: [{ type: name, ...BLOCKS[name] }] }).agents[0] as {
        deadline?: number
      }
      return deadline === undefined ? [] : [[name, String(deadline / 1_000), whenAway]]
    })
    expect(rows).toEqual(asking)
  })
})

/** Agents that write down what they are asked, and have nothing against anybody; `ip-list` alone says what it thinks. */
function watched(agents: readonly Agent[], asked: string[]): readonly Agent[] {
  return agents.map((agent) => ({ ...agent, open: (session) => watchedHandlers(agent, session, asked) }))
}

function watchedHandlers(agent: Agent, session: AgentSession, asked: string[]): AgentHandlers | undefined {
  const handlers: EventHandlers | undefined = agent.open(session)
  if (handlers === undefined) return undefined
  const events = Object.keys(handlers).filter((name): name is AgentEvent => EVENTS.includes(name as AgentEvent))
  return Object.fromEntries(
    events.map((event) => [
      event,
      (facts: never, signal: never) => {
        asked.push(`${event} ${agent.name}`)
        const handler = handlers[event] as ((facts: never, signal: never) => unknown) | undefined
        return agent.name === 'ip-list' ? handler?.(facts, signal) : { kind: 'pass' }
      },
    ]),
  )
}

const EVENTS: readonly AgentEvent[] = ['connect', 'ehlo', 'mail', 'rcpt', 'headers', 'dataEnd']

/** A whole session with one message. */
async function session(more: Partial<AgentSession>): Promise<readonly string[]> {
  const asked: string[] = []
  const { run } = stage(watched(agentsFrom(ALL), asked), more)
  const sender = recipient('bob@far.example')
  const envelope = { sender, recipients: [recipient('alice@test.lan')] }
  const fields = parseHeader(Buffer.from('From: bob@far.example\r\n'), 'plain')
  const message = { envelope, fields, notes: run.notes }
  const facts: EventFacts = {
    connect: { greeting: true },
    ehlo: { kind: 'ehlo', domain: 'mail.far.example' },
    mail: { sender, parameters: new Map() },
    rcpt: { sender, recipient: recipient('alice@test.lan'), parameters: new Map(), accepted: 0 },
    headers: message,
    dataEnd: { ...message, message: {} as SpooledMessage },
  }
  for (const event of EVENTS) expect(await run.ask(event, facts[event])).toMatchObject({ kind: 'go' })
  return asked
}

describe('who is asked at each event', () => {
  test('of a stranger', async () => {
    const asked = await session({})
    // Those that other parts of the door bring with them have their own places between these.
    const known = new Set([
      ...['ip-list', 'dns-list', 'greet-delay', 'helo', 'rspamd', 'clamav'],
      ...['sender-filter', 'recipient-filter', 'reputation'],
    ])
    const table = EVENTS.map(
      (event) =>
        [event, asked.flatMap((line) => (line.startsWith(`${event} `) ? [line.slice(event.length + 1)] : []))] as const,
    )
    expect(table.map(([event, agents]) => [event, ...agents.filter((name) => known.has(name))])).toEqual([
      ['connect', 'ip-list', 'dns-list', 'greet-delay', 'helo', 'reputation'],
      ['ehlo', 'helo', 'reputation'],
      ['mail', 'sender-filter', 'reputation'],
      ['rcpt', 'ip-list', 'dns-list', 'helo', 'recipient-filter', 'reputation'],
      ['headers', 'helo', 'sender-filter'],
      ['dataEnd', 'rspamd', 'clamav'],
    ])
    for (const [, agents] of table) expect(agents).toEqual(byPriority.filter((name) => agents.includes(name)))
  })

  const forEverybody = new Set(agentsFrom(ALL).flatMap(({ name, antiSpam }) => (antiSpam ? [] : [name])))
  const askedOf = (lines: readonly string[]) => new Set(lines.map((line) => line.replace(/^\w+ /, '')))

  test('of a client on an allow list: those who do not look for spam, behind the list itself', async () => {
    const asked = await session({ peer: { ...SESSION.peer, address: '192.0.2.88' } })
    expect(asked[0]).toBe('connect ip-list')
    expect(askedOf(asked.slice(1))).toEqual(forEverybody)
    expect(forEverybody).toContain('telephony')
  })

  test('of a session with the permission: the same, and no list', async () => {
    expect(askedOf(await session({ bypassesAntiSpam: true }))).toEqual(forEverybody)
  })
})
