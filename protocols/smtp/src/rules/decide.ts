// SPDX-License-Identifier: MIT

import type { Mailbox } from '../address.js'
import type { EnvelopeEdits } from '../agents/agent.js'
import type { HeaderEdits } from '../message/header-fields.js'
import type { Reply } from '../replies.js'
import type { Draft, End } from './actions.js'
import type { Found } from './conditions.js'
import type { DisclaimerSettings } from './disclaimer/disclaimer-schema.js'
import type { RuleFacts } from './rule-facts.js'
import type { Rule, RuleSet } from './rule-set.js'
import { RuleView } from './rule-view.js'

/** A condition that holds, and which of its values fits. */
export interface Evidence {
  readonly condition: string
  /** As the rule writes it; `unreadable` where the content cannot be judged and the site says that this counts. */
  readonly value: string
}

/** What one rule has come to. */
export interface Step {
  readonly rule: string
  readonly mode: 'enforce' | 'audit'
  /** Its conditions hold, and none of its exceptions. In audit mode nothing came of it. */
  readonly fired: boolean
  /** Those that hold, up to the first that does not. */
  readonly conditions: readonly Evidence[]
  /** The condition that does not hold. */
  readonly missed?: string
  /** The exception that holds. */
  readonly exception?: Evidence
  /** What it does, in words. */
  readonly actions: readonly string[]
  /** No rule behind it was looked at. */
  readonly stop: boolean
}

/** What becomes of a message. `unreadable`: the client is to try again. */
export type Outcome =
  | ({ readonly kind: 'go' } & Changes)
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly close?: true }
  | { readonly kind: 'discard'; readonly rule: string }
  | ({ readonly kind: 'quarantine'; readonly rule: string; readonly address: Mailbox } & Pick<
      Changes,
      'edits' | 'setScl'
    >)
  | { readonly kind: 'unreadable'; readonly rule: string }

export interface Changes {
  readonly edits?: HeaderEdits
  readonly envelope?: EnvelopeEdits
  readonly setScl?: number
  /** In their order. */
  readonly disclaimers?: readonly DisclaimerSettings[]
}

/** `unread`: a rule that was reached has to know the content; ask again with it. */
export type Decision =
  | { readonly kind: 'unread' }
  | {
      readonly kind: 'decided'
      /** Every rule that was looked at, in order. */
      readonly steps: readonly Step[]
      readonly outcome: Outcome
      /** What rules want to be in the log, in order. */
      readonly events: readonly { readonly rule: string; readonly text: string }[]
    }

export type Decided = Extract<Decision, { kind: 'decided' }>

/** What the rules make of a message. Pure: the same facts give the same decision. */
export function decide(set: RuleSet, facts: RuleFacts): Decision {
  const draft: Draft = { view: new RuleView(facts), add: [], redirect: [], events: [], disclaimers: [] }
  const steps: Step[] = []
  const events: { rule: string; text: string }[] = []
  for (const rule of set.rules) {
    const judged = judge(rule, draft.view, set)
    if (judged === 'unread') return { kind: 'unread' }
    steps.push(judged.step)
    if (judged.putOff) return { kind: 'decided', steps, outcome: { kind: 'unreadable', rule: rule.name }, events }
    if (!judged.step.fired || rule.mode === 'audit') continue
    const end = act(rule, draft)
    events.push(...draft.events.splice(0).map((text) => ({ rule: rule.name, text })))
    if (end !== undefined) return { kind: 'decided', steps, outcome: outcomeOf(end, rule, draft), events }
    if (rule.stop) break
  }
  return { kind: 'decided', steps, outcome: { kind: 'go', ...changesOf(draft) }, events }
}

function act(rule: Rule, draft: Draft): End | undefined {
  for (const action of rule.actions) {
    const end = action.act(draft)
    if (end !== undefined) return end
  }
  return undefined
}

/** In place of a value, where the content cannot be judged. */
const UNREADABLE = 'unreadable'

interface Judged {
  readonly step: Step
  /** It depends on what cannot be read, and such messages are to come again. */
  readonly putOff: boolean
}

/**
 * All conditions have to hold and no exception. What cannot be judged decides only where nothing else does: a condition that does not
 * hold or an exception that does settles the rule whatever the rest would say. So it is with what nobody has read yet.
 */
function judge(rule: Rule, view: RuleView, { whenUnreadable }: RuleSet): Judged | 'unread' {
  const held: Evidence[] = []
  const open = new Set<Found['kind']>()
  for (const { name, test } of rule.conditions) {
    const found = test(view)
    if (found.kind === 'miss') return { step: idle(rule, held, { missed: name }), putOff: false }
    if (found.kind === 'hit') held.push({ condition: name, value: found.value })
    else open.add(found.kind)
    if (found.kind === 'unreadable') held.push({ condition: name, value: UNREADABLE })
  }
  for (const { name, test } of rule.exceptions) {
    const found = test(view)
    if (found.kind === 'hit')
      return { step: idle(rule, held, { exception: { condition: name, value: found.value } }), putOff: false }
    if (found.kind !== 'miss') open.add(found.kind)
  }
  if (open.has('unread')) return 'unread'
  return open.has('unreadable') ? judgeUnsure(rule, held, whenUnreadable) : { step: fired(rule, held), putOff: false }
}

function judgeUnsure(rule: Rule, held: readonly Evidence[], whenUnreadable: RuleSet['whenUnreadable']): Judged {
  const unreadable = held.find(({ value }) => value === UNREADABLE)
  const sure = held.filter(({ value }) => value !== UNREADABLE)
  if (whenUnreadable === 'match' || (whenUnreadable === 'no-match' && unreadable === undefined))
    return { step: fired(rule, held), putOff: false }
  const missed = unreadable?.condition ?? 'except'
  return { step: idle(rule, sure, { missed }), putOff: whenUnreadable === 'tempfail' && rule.mode === 'enforce' }
}

function fired({ name, mode, actions, stop }: Rule, conditions: readonly Evidence[]): Step {
  return {
    rule: name,
    mode,
    fired: true,
    conditions,
    actions: actions.map(({ words }) => words),
    stop: stop && mode === 'enforce',
  }
}

function idle(
  { name, mode }: Rule,
  conditions: readonly Evidence[],
  why: { readonly missed: string } | { readonly exception: Evidence },
): Step {
  return { rule: name, mode, fired: false, conditions, ...why, actions: [], stop: false }
}

function outcomeOf(end: End, rule: Rule, draft: Draft): Outcome {
  if (end.kind === 'refuse') return end
  if (end.kind === 'discard') return { ...end, rule: rule.name }
  const { edits, setScl } = changesOf(draft)
  return {
    ...end,
    rule: rule.name,
    ...(edits === undefined ? {} : { edits }),
    ...(setScl === undefined ? {} : { setScl }),
  }
}

function changesOf({ view, add, redirect, disclaimers }: Draft): Changes {
  const edits = view.header.edits()
  const known = redirect.length > 0 ? redirect : view.facts.envelope.recipients
  const more = distinct(add).filter(({ text }) => !known.some((one) => isSame(one.text, text)))
  const envelope = {
    ...(more.length === 0 ? {} : { add: more }),
    ...(redirect.length === 0 ? {} : { redirect: distinct(redirect) }),
  }
  return {
    ...(edits === undefined ? {} : { edits }),
    ...(more.length + redirect.length === 0 ? {} : { envelope }),
    ...(view.sclSet === undefined ? {} : { setScl: view.sclSet }),
    ...(disclaimers.length === 0 ? {} : { disclaimers }),
  }
}

/** Each address once, whatever its case: a site that means two mailboxes by two spellings does not write both into rules. */
function distinct(mailboxes: readonly Mailbox[]): readonly Mailbox[] {
  return mailboxes.filter(({ text }, index) => mailboxes.findIndex((one) => isSame(one.text, text)) === index)
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
