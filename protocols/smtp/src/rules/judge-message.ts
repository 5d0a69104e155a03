// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { DEFAULT_CONTENT_LIMITS } from '../content/content.js'
import { contentOf } from '../content/content-of.js'
import type { SpooledMessage } from '../message/spool.js'
import { type Decided, decide } from './decide.js'
import type { RuleFacts } from './rule-facts.js'
import type { RuleSet } from './rule-set.js'

/** Decides about a whole message. Its content is read only when a rule that is reached has to know it. */
export async function judgeMessage(
  set: RuleSet,
  facts: RuleFacts,
  message: SpooledMessage,
  signal: Cancellation,
): Promise<Decided> {
  const whole = { ...facts, size: message.size }
  const early = decide(set, whole)
  if (early.kind === 'decided') return early
  const content = await contentOf(message, facts.fields, DEFAULT_CONTENT_LIMITS, signal)
  return decided(decide(set, { ...whole, content }))
}

/** Decides at the end of the header section, where no rule of the set has to know more. */
export function judgeHeader(set: RuleSet, facts: RuleFacts): Decided {
  return decided(decide(set, facts))
}

function decided(decision: ReturnType<typeof decide>): Decided {
  if (decision.kind === 'unread') throw new Error('a rule asked for content that nobody can read')
  return decision
}
