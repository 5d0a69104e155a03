// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { DEFAULT_CONTENT_LIMITS } from '../content/content.js'
import { contentOf } from '../content/content-of.js'
import type { SpooledMessage } from '../message/spool.js'
import { say } from '../replies.js'
import { type Decided, decide } from './decide.js'
import { disclaimable } from './disclaimer/disclaimer.js'
import type { RuleFacts } from './rule-facts.js'
import type { RuleSet } from './rule-set.js'

const UNCHANGEABLE = say(550, '5.7.1', 'This site adds a text to messages, which is impossible with this one')

/** Decides about a whole message. Its content is read only when a rule that is reached has to know it. */
export async function judgeMessage(
  set: RuleSet,
  facts: RuleFacts,
  message: SpooledMessage,
  signal: Cancellation,
): Promise<Decided> {
  const whole = { ...facts, size: message.size }
  const early = decide(set, whole)
  if (early.kind === 'decided') return withDisclaimers(early, message)
  const content = await contentOf(message, facts.fields, DEFAULT_CONTENT_LIMITS, signal)
  // That says nothing of the message, so it is not for the site's word about messages that cannot be read.
  if (content.kind === 'unreadable' && content.ours === true) throw new Error(content.why)
  return withDisclaimers(decided(decide(set, { ...whole, content })), message)
}

/** A message that cannot have a disclaimer is refused where the site says so: only now it can be. */
async function withDisclaimers(decision: Decided, message: SpooledMessage): Promise<Decided> {
  const { outcome } = decision
  const disclaimers = outcome.kind === 'go' ? (outcome.disclaimers ?? []) : []
  if (!disclaimers.some(({ fallback }) => fallback === 'reject') || (await disclaimable(message))) return decision
  return { ...decision, outcome: { kind: 'refuse', reply: UNCHANGEABLE } }
}

/** Decides at the end of the header section, where no rule of the set has to know more. */
export function judgeHeader(set: RuleSet, facts: RuleFacts): Decided {
  return decided(decide(set, facts))
}

function decided(decision: ReturnType<typeof decide>): Decided {
  if (decision.kind === 'unread') throw new Error('a rule asked for content that nobody can read')
  return decision
}
