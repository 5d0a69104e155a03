// SPDX-License-Identifier: MIT
import type { TriedRules } from '@portico/smtp'

type Decision = TriedRules['decision']
type Step = Decision['steps'][number]

/** What one block of rules makes of a message, as plain data. */
export interface RuleReport {
  /** Its place in `smtp.agents`. */
  readonly agent: number
  readonly connectors: readonly string[] | undefined
  readonly event: TriedRules['event']
  readonly steps: readonly Step[]
  readonly outcome: ReportedOutcome
}

export interface ReportedOutcome {
  readonly kind: Decision['outcome']['kind']
  /** The rule that ended it. */
  readonly rule?: string
  /** What the client is told. */
  readonly reply?: string
  readonly close?: true
  /** Who gets it, too, or instead. */
  readonly add?: readonly string[]
  readonly redirect?: readonly string[]
  /** Fields in front of the message. */
  readonly fields?: readonly string[]
  readonly scl?: number
  /** How many are put into it. */
  readonly disclaimers?: number
}

export function reportOf({ agent, connectors, event, decision }: TriedRules): RuleReport {
  return { agent, connectors, event, steps: decision.steps, outcome: outcomeOf(decision.outcome) }
}

function outcomeOf(outcome: Decision['outcome']): ReportedOutcome {
  switch (outcome.kind) {
    case 'go': {
      const { edits, envelope, setScl, disclaimers } = outcome
      return {
        kind: 'go',
        ...(envelope?.add === undefined ? {} : { add: envelope.add.map(({ text }) => text) }),
        ...(envelope?.redirect === undefined ? {} : { redirect: envelope.redirect.map(({ text }) => text) }),
        ...(edits === undefined ? {} : { fields: edits.prepend.map((field) => field.trimEnd()) }),
        ...(setScl === undefined ? {} : { scl: setScl }),
        ...(disclaimers === undefined ? {} : { disclaimers: disclaimers.length }),
      }
    }
    case 'refuse': {
      const { code, lines } = outcome.reply
      const enhanced = 'enhanced' in outcome.reply ? `${outcome.reply.enhanced} ` : ''
      return {
        kind: 'refuse',
        reply: `${code} ${enhanced}${lines.join(' ')}`,
        ...(outcome.close ? { close: true } : {}),
      }
    }
    case 'quarantine':
      return { kind: 'quarantine', rule: outcome.rule, redirect: [outcome.address.text] }
    case 'discard':
    case 'unreadable':
      return { kind: outcome.kind, rule: outcome.rule }
  }
}

/** For people. */
export function reportText(reports: readonly RuleReport[]): string {
  if (reports.length === 0) return 'no rules: the configuration has no agent of type rules\n'
  return reports.map(blockText).join('\n')
}

function blockText({ agent, connectors, event, steps, outcome }: RuleReport): string {
  const where = connectors === undefined ? 'all connectors' : connectors.join(', ')
  const when = event === 'headers' ? 'at the end of the header section' : 'at the end of the message'
  return [
    `rules of smtp.agents[${agent}], ${where}, ${when}`,
    ...steps.flatMap(stepLines),
    `outcome: ${outcomeText(outcome)}`,
    '',
  ].join('\n')
}

function stepLines({ rule, mode, fired, conditions, missed, exception, actions, stop }: Step): readonly string[] {
  const held = conditions.map(({ condition, value }) => `    holds: ${condition}: ${value}`)
  if (!fired) {
    const why = exception === undefined ? `${missed ?? 'a condition'} does not hold` : 'an exception holds'
    const but = exception === undefined ? [] : [`    except: ${exception.condition}: ${exception.value}`]
    return [`  did not fire: ${rule} (${why})`, ...held, ...but]
  }
  return [
    `  fired: ${rule}${mode === 'audit' ? ' (audit: nothing was done)' : ''}`,
    ...(held.length === 0 ? ['    it has no conditions'] : held),
    ...actions.map((action) => `    does: ${action}`),
    ...(stop ? ['    stop: no rule behind it was looked at'] : []),
  ]
}

function outcomeText({ kind, rule, reply, close, add, redirect, fields, scl, disclaimers }: ReportedOutcome): string {
  switch (kind) {
    case 'refuse':
      return `refused: ${reply}${close ? ', and the connection is closed' : ''}`
    case 'discard':
      return `deleted by ${rule}, and the client is told that all is well`
    case 'unreadable':
      return `put off: ${rule} depends on what cannot be read`
    case 'quarantine':
      return `quarantine of ${rule}: ${redirect?.join(', ')}`
    case 'go': {
      const changes = [
        ...(redirect === undefined ? [] : [`to ${redirect.join(', ')} instead of its recipients`]),
        ...(add === undefined ? [] : [`to ${add.join(', ')}, too`]),
        ...(scl === undefined ? [] : [`with SCL ${scl}`]),
        ...(disclaimers === undefined ? [] : [`with disclaimers: ${disclaimers}`]),
        ...(fields ?? []).map((field) => `with ${JSON.stringify(field)}`),
      ]
      return ['the message goes on', ...changes].join('\n    ')
    }
  }
}
