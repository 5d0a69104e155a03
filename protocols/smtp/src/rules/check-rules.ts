// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { SiteFacts } from '@portico/session'
import type { SmtpSettings } from '../schema.js'
import { INSIDE, isRules, RULES_PRIORITY, type RuleSettings, type RulesSettings } from './rules-schema.js'

/** Who says most of spam confidence levels; at the end of the message, in this place where the site says nothing else. */
const JUDGE = { type: 'rspamd', priority: 40 }

type Agents = SmtpSettings['agents']

/** Networks that `inside` names and nobody has configured. What it names when the site says nothing need not be there. */
export function insideProblems(
  { agents }: Pick<SmtpSettings, 'agents'>,
  { networks }: Pick<SiteFacts, 'networks'>,
): readonly ConfigProblem[] {
  const known = new Set([...networks, ...INSIDE])
  return agents.flatMap((settings, index) =>
    (isRules(settings) ? settings.inside : []).flatMap((name, place) => {
      const expectation = `expected one of the networks ${networks.join(', ')}`
      return known.has(name) ? [] : [{ path: ['smtp', 'agents', index, 'inside', place], expectation }]
    }),
  )
}

/** Rules that ask what nobody has said yet, or never says. Of files only what they hold at the start could be said: nothing is. */
export function ruleWarnings({ agents }: Pick<SmtpSettings, 'agents'>): readonly string[] {
  return agents.flatMap((settings, index) => (isRules(settings) ? warningsOf(settings, index, agents) : []))
}

function warningsOf(settings: RulesSettings, index: number, agents: Agents): readonly string[] {
  const at = (rule: number) => `smtp.agents[${index}].rules[${rule}]`
  const place = settings.priority ?? RULES_PRIORITY
  const judge = agents.find(({ type }) => type === JUDGE.type)
  const isEarly = judge !== undefined && place <= (judge.priority ?? JUDGE.priority)
  const hasTelephony = agents.some(({ type }) => type === 'telephony')
  return settings.rules.flatMap((rule, number) => [
    ...(isEarly && asks(rule, ({ sclOver }) => sclOver !== undefined)
      ? [
          `${at(number)}: sclOver hears nothing of ${JUDGE.type}, which is asked after the rules: give them a higher \`priority\``,
        ]
      : []),
    ...(!hasTelephony &&
    asks(rule, ({ messageType = [] }) => messageType.some((one) => one === 'voice' || one === 'fax'))
      ? [`${at(number)}: no message is of type voice or fax without the agent telephony`]
      : []),
  ])
}

function asks(rule: RuleSettings, what: (conditions: RuleSettings['if']) => boolean): boolean {
  return rule.enabled && (what(rule.if) || what(rule.except))
}
