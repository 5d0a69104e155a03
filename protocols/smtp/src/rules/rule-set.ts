// SPDX-License-Identifier: MIT
import { type CompiledAction, compiledAction } from './actions.js'
import { type Condition, conditionsOf } from './conditions.js'
import type { RuleSettings } from './rules-schema.js'

export interface Rule {
  readonly name: string
  readonly mode: 'enforce' | 'audit'
  readonly conditions: readonly Condition[]
  readonly exceptions: readonly Condition[]
  readonly actions: readonly CompiledAction[]
  readonly stop: boolean
}

/** What holds for all rules of a block. */
export interface RulePolicy {
  /** No rule does anything. */
  readonly audit: boolean
  readonly whenUnreadable: 'match' | 'no-match' | 'tempfail'
}

/** Rules in the order in which they are looked at. Made once, asked for every message. */
export interface RuleSet extends RulePolicy {
  readonly rules: readonly Rule[]
  /** When they are asked: at the end of the header section, where no rule has to see more or to do what comes later. */
  readonly event: 'headers' | 'dataEnd'
}

/** Makes rules ready. Those of one number keep the order in which they are written. */
export function ruleSet(settings: readonly RuleSettings[], { audit, whenUnreadable }: RulePolicy): RuleSet {
  const rules = settings
    .map((rule, index) => ({ rule, order: rule.priority ?? index }))
    .filter(({ rule }) => rule.enabled)
    .sort((one, other) => one.order - other.order)
    .map(({ rule }) => compiled(rule, audit))
  return { rules, event: rules.every(isEarly) ? 'headers' : 'dataEnd', audit, whenUnreadable }
}

function compiled(rule: RuleSettings, audit: boolean): Rule {
  return {
    name: rule.name,
    mode: audit ? 'audit' : rule.mode,
    conditions: conditionsOf(rule.if, rule.sender),
    exceptions: conditionsOf(rule.except, rule.sender),
    actions: rule.then.map(compiledAction),
    stop: rule.stop,
  }
}

function isEarly({ conditions, exceptions, actions }: Rule): boolean {
  const isHeader = ({ needs }: { readonly needs: string }) => needs === 'header'
  return [...conditions, ...exceptions, ...actions].every(isHeader)
}
