// SPDX-License-Identifier: MIT
import { type Settings, size, z } from '@portico/config'
import { placeKeys } from '../agents/agent-type.js'
import { actionSchema } from './action-schema.js'
import { conditionsSchema } from './condition-schema.js'

/** Where the site says nothing else its rules are asked before everybody who only judges. */
export const RULES_PRIORITY = 30
/** Networks whose clients are inside where the site says nothing else. */
export const INSIDE: readonly string[] = ['internal']
/** Rules of one list. */
const MOST_RULES = 300

const ruleSchema = z
  .strictObject({
    name: z.string().min(1).max(64).describe('For logs and explanations; no two rules have the same.'),
    enabled: z.boolean().default(true).describe('Whether it counts at all.'),
    mode: z
      .enum(['enforce', 'audit'])
      .default('enforce')
      .describe('`audit`: the log says when it would have done something, and nothing is done.'),
    priority: z
      .int()
      .min(0)
      .optional()
      .describe('Those with a lower number come first; when absent its place in the list, counted from 0.'),
    sender: z
      .enum(['header', 'envelope', 'both'])
      .default('header')
      .describe(
        'Whose address the conditions on senders look at. `header`: the From field’s, or the envelope’s where that has none.',
      ),
    if: conditionsSchema.prefault({}).describe('All of them have to hold. When absent the rule is for every message.'),
    except: conditionsSchema.prefault({}).describe('Where one of them holds the rule does nothing.'),
    // biome-ignore lint/suspicious/noThenProperty: the word of the language; nobody awaits a rule.
    then: z.array(actionSchema).default([]).describe('What is done, in this order.'),
    stop: z.boolean().default(false).describe('Where the rule did something no rule behind it is looked at.'),
  })
  .refine(({ then, stop }) => then.length > 0 || stop, {
    path: ['then'],
    message: 'expected an action, or `stop: true`',
  })

/** The rules of a block or of a file. */
export const rulesSchema = z
  .array(ruleSchema)
  .max(MOST_RULES)
  .superRefine((rules, context) => {
    const names = rules.map(({ name }) => name)
    names.forEach((name, index) => {
      if (names.indexOf(name) < index)
        context.addIssue({ code: 'custom', path: [index, 'name'], message: 'expected a name that no other rule has' })
    })
  })

/** What a file of rules holds. */
export const rulesFileSchema = z.strictObject({ rules: rulesSchema })

/** The block of the agent. */
export const rulesAgentSchema = z
  .strictObject({
    type: z.literal('rules'),
    ...placeKeys(),
    rules: rulesSchema.default([]).describe('The rules, in their order.'),
    file: z
      .string()
      .optional()
      .describe(
        'File with more of them under its own key `rules`, which come behind these. Read again when it changes.',
      ),
    inside: z
      .array(z.string())
      .default([...INSIDE])
      .describe('Names of networks whose clients are inside for `fromScope`.'),
    text: size()
      .refine((octets) => octets <= 1024 ** 2, 'expected at most 1MiB')
      .default(256 * 1024)
      .describe('How much of the text of a message words and patterns are looked for in.'),
    whenUnreadable: z
      .enum(['match', 'no-match', 'tempfail'])
      .default('tempfail')
      .describe(
        'What a condition says that cannot be judged, because the content is broken or beyond its limits. `match`: it holds as a condition, and does not as an exception. `no-match`: it holds nowhere. `tempfail`: the client is to try again.',
      ),
  })
  .describe('The mail-flow rules of the site.')

export type RuleSettings = Settings<typeof ruleSchema>
export type RulesSettings = Settings<typeof rulesAgentSchema>

/** Whether a block of `smtp.agents` is one of rules. */
export function isRules(block: { readonly type: string }): block is RulesSettings {
  return block.type === 'rules'
}
