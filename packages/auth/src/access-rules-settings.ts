// SPDX-License-Identifier: MIT
import { type Networks, networksOf, type ProtocolName } from '@portico/base'
import { type ConfigProblem, type Settings, z } from '@portico/config'
import { serverMechanismNames } from '@portico/sasl'
import { HTTP_SCHEMES, PLAIN_LOGIN } from './access.js'
import type { AccessRule } from './access-rules.js'
import { patterns } from './acting.js'

const ruleMechanisms: readonly string[] = [...serverMechanismNames, PLAIN_LOGIN, ...HTTP_SCHEMES]

const networkNames = () => z.array(z.string().min(1)).min(1)

/** The `accessRules` block. */
export function accessRulesSchema(protocols: readonly string[]) {
  return z
    .array(
      z.strictObject({
        name: z.string().min(1).describe('Its name in the log; clients never see it.'),
        networks: networkNames()
          .optional()
          .describe('Where the client is: names of `networks`, addresses or CIDR blocks. Anywhere when absent.'),
        exceptNetworks: networkNames().optional().describe('Clients that are here do not fit.'),
        protocols: z.array(z.enum(protocols)).min(1).optional().describe('All when absent.'),
        mechanisms: z
          .array(
            z
              .string()
              .transform((text) => text.toUpperCase())
              .refine((text) => ruleMechanisms.includes(text), `expected one of ${ruleMechanisms.join(', ')}`),
          )
          .min(1)
          .optional()
          .describe(
            `SASL mechanisms; \`${PLAIN_LOGIN}\` is the LOGIN of IMAP4 and the USER and PASS of POP3; ${HTTP_SCHEMES.map((name) => `\`${name}\``).join(', ')} are the ways of HTTP. All when absent.`,
          ),
        users: patterns()
          .optional()
          .describe('Accounts that have proved themselves, compared without case; * and ? are wild. All when absent.'),
        exceptUsers: patterns().optional().describe('Accounts that do not fit.'),
        action: z.enum(['allow', 'deny']).describe('What happens to a sign-in that fits.'),
      }),
    )
    .default([])
    .describe(
      'Who may sign in from where, how. The first rule that fits decides; a sign-in that fits none is allowed. See [access rules](access-rules.md).',
    )
}

export type AccessRulesSettings = Settings<ReturnType<typeof accessRulesSchema>>

type RuleSettings = AccessRulesSettings[number]

/** `networks` are the configured ones by name. Check the settings first: an entry that is no network throws. */
export function createAccessRules(
  settings: AccessRulesSettings,
  networks: Readonly<Record<string, readonly string[]>>,
): readonly AccessRule[] {
  const resolve = (entries: readonly string[] | undefined): Networks | undefined =>
    entries === undefined ? undefined : networksOf(entries.flatMap((entry) => blocksOf(entry, networks)))
  return settings.map((rule) => ({
    name: rule.name,
    networks: resolve(rule.networks),
    exceptNetworks: resolve(rule.exceptNetworks),
    protocols: setOf<ProtocolName>(rule.protocols),
    mechanisms: setOf(rule.mechanisms),
    users: rule.users,
    exceptUsers: rule.exceptUsers,
    action: rule.action,
  }))
}

function blocksOf(entry: string, networks: Readonly<Record<string, readonly string[]>>): readonly string[] {
  return Object.hasOwn(networks, entry) ? (networks[entry] ?? []) : [entry]
}

function setOf<T extends string>(entries: readonly T[] | undefined): ReadonlySet<T> | undefined {
  return entries === undefined ? undefined : new Set(entries)
}

/** Networks that nobody knows, names that two rules have, and rules that no sign-in can reach. */
export function accessRuleProblems(
  settings: AccessRulesSettings,
  networks: Readonly<Record<string, readonly string[]>>,
): readonly ConfigProblem[] {
  return settings.flatMap((rule, index) => {
    const path = ['accessRules', index]
    const before = settings.slice(0, index)
    const namesake = before.findIndex(({ name }) => name === rule.name)
    const shadow = before.find((earlier) => covers(earlier, rule))
    return [
      ...unknownNetworks(rule, index, networks),
      ...(namesake < 0
        ? []
        : [{ path: [...path, 'name'], expectation: `expected a name that accessRules[${namesake}] does not have` }]),
      ...(shadow === undefined
        ? []
        : [
            {
              path,
              expectation: `expected a rule that something can reach: ${JSON.stringify(shadow.name)} above fits first`,
            },
          ]),
    ]
  })
}

function unknownNetworks(
  rule: RuleSettings,
  index: number,
  networks: Readonly<Record<string, readonly string[]>>,
): ConfigProblem[] {
  return (['networks', 'exceptNetworks'] as const).flatMap((key) =>
    (rule[key] ?? []).flatMap((entry, at) => {
      if (Object.hasOwn(networks, entry) || isBlock(entry)) return []
      const expectation = 'expected the name of one of the networks, an address or a CIDR block'
      return [{ path: ['accessRules', index, key, at], expectation }]
    }),
  )
}

function isBlock(text: string): boolean {
  try {
    networksOf([text])
    return true
  } catch {
    return false
  }
}

/** Whether every sign-in that fits the later rule fits the earlier one. Told from what is written, not from what blocks hold. */
function covers(earlier: RuleSettings, later: RuleSettings): boolean {
  const wider = (['networks', 'protocols', 'mechanisms', 'users'] as const).every((key) =>
    includes(later[key], earlier[key]),
  )
  return wider && (['exceptNetworks', 'exceptUsers'] as const).every((key) => excepts(later[key], earlier[key] ?? []))
}

/** An absent list is everything. */
function includes(narrow: readonly string[] | undefined, wide: readonly string[] | undefined): boolean {
  return wide === undefined || (narrow?.every((entry) => wide.includes(entry)) ?? false)
}

function excepts(all: readonly string[] | undefined, some: readonly string[]): boolean {
  return some.every((entry) => all?.includes(entry) === true)
}
