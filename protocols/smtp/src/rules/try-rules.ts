// SPDX-License-Identifier: MIT
import { CancellationSource } from '@portico/base'
import { type Mailbox, mailboxOf } from '../address.js'
import { parseHeader } from '../message/header-fields.js'
import { HeaderSection } from '../message/header-section.js'
import type { SpooledMessage } from '../message/spool.js'
import type { SmtpSettings } from '../schema.js'
import type { Decided } from './decide.js'
import { judgeHeader, judgeMessage } from './judge-message.js'
import type { RuleFacts } from './rule-facts.js'
import { readRules } from './rule-source.js'
import { isRules, RULES_PRIORITY, type RulesSettings } from './rules-schema.js'

/** A message and what else rules may look at. */
export interface TriedMessage {
  /** As in a file; lines that end with LF are taken for such that end with CRLF. */
  readonly message: Buffer
  /** Address of the sender; '' and `<>` are the null reverse-path. */
  readonly from: string
  readonly to: readonly string[]
  /** Address of the client; one of nobody (RFC 5737) when absent. */
  readonly client?: string
  /** Names of the configured networks that hold it. */
  readonly networks?: readonly string[]
  /** It has signed in. */
  readonly user?: string
  /** What agents that are asked before would have found. */
  readonly scl?: number
  readonly types?: readonly string[]
}

/** What one block of rules would make of a message. */
export interface TriedRules {
  /** Its index in `smtp.agents`. */
  readonly agent: number
  readonly connectors: readonly string[] | undefined
  /** When it is asked. */
  readonly event: 'headers' | 'dataEnd'
  readonly decision: Decided
}

/**
 * What each block of rules would make of a message, in the order in which they are asked. Each judges the message as it came. Throws
 * `TypeError` that names an address which is none, and what {@link readRules} throws.
 */
export async function tryRules(
  { agents }: Pick<SmtpSettings, 'agents'>,
  tried: TriedMessage,
  pathOf: (path: string) => string,
): Promise<readonly TriedRules[]> {
  const blocks = agents
    .flatMap((settings, agent) => (isRules(settings) ? [{ settings, agent }] : []))
    .sort((one, other) => (one.settings.priority ?? RULES_PRIORITY) - (other.settings.priority ?? RULES_PRIORITY))
  const outcomes: TriedRules[] = []
  for (const { settings, agent } of blocks) {
    const set = readRules(settings, pathOf)
    const { facts, message } = triedFacts(settings, tried)
    const decision =
      set.event === 'headers'
        ? judgeHeader(set, facts)
        : await judgeMessage(set, facts, message, new CancellationSource())
    outcomes.push({ agent, connectors: settings.connectors, event: set.event, decision })
  }
  return outcomes
}

function triedFacts({ inside, text }: RulesSettings, tried: TriedMessage) {
  const octets = Buffer.from(tried.message.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
  const section = new HeaderSection(octets.length)
  section.take(octets, octets.length)
  const isNobody = tried.from === '' || tried.from === '<>'
  const facts: RuleFacts = {
    envelope: {
      sender: isNobody ? undefined : addressOf(tried.from),
      recipients: tried.to.map(addressOf),
    },
    fields: parseHeader(section.finish(), 'plain'),
    client: tried.client ?? '192.0.2.1',
    inside: tried.user !== undefined || inside.some((name) => tried.networks?.includes(name)),
    size: undefined,
    scl: tried.scl,
    types: new Set(tried.types),
    content: undefined,
    text,
  }
  return { facts, message: inMemory(octets) }
}

function addressOf(text: string): Mailbox {
  const mailbox = mailboxOf(text)
  if (mailbox === undefined) throw new TypeError(`not an address: ${text}`)
  return mailbox
}

function inMemory(octets: Buffer): SpooledMessage {
  return {
    size: octets.length,
    read: async (take) => ((await take(octets)) ? 'done' : 'stopped'),
    start: async (limit) => octets.subarray(0, limit),
  }
}
