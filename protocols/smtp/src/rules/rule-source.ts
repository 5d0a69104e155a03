// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { WatchedFile } from '@portico/base'
import { ConfigError, formatProblem, located, parseConfig, validate } from '@portico/config'
import type { AgentProblem, FileNeeds } from '../agents/agent-type.js'
import { type RuleSet, ruleSet } from './rule-set.js'
import { type RuleSettings, type RulesSettings, rulesFileSchema } from './rules-schema.js'

/** Where the rules of a block are: those that count now. */
export interface RuleSource {
  readonly current: RuleSet
}

/** The rules of a block and those of its file, which is watched. Throws where the file cannot be read or is no list of rules. */
export function openRules(settings: RulesSettings, { clock, log, pathOf }: FileNeeds): RuleSource {
  if (settings.file === undefined) return { current: ruleSet(settings.rules, settings) }
  const path = pathOf(settings.file)
  return new WatchedFile({
    path,
    clock,
    parse: (text) => together(settings, parseRules(text, path)),
    changed: ({ rules }) => log.info('mail-flow rules read again', { path, rules: rules.length }),
    failed: (cause) => log.error('mail-flow rules cannot be read, the former ones stay', { path, cause }),
  })
}

/** As they are now, for whoever asks once. Throws as {@link openRules}. */
export function readRules(settings: RulesSettings, pathOf: (path: string) => string): RuleSet {
  if (settings.file === undefined) return ruleSet(settings.rules, settings)
  const path = pathOf(settings.file)
  return together(settings, parseRules(readFileSync(path, 'utf8'), path))
}

/** What is wrong with the file of a block; each fault with its place there. */
export function fileProblems(settings: RulesSettings, pathOf: (path: string) => string): readonly AgentProblem[] {
  try {
    readRules(settings, pathOf)
    return []
  } catch (error) {
    const faults = error instanceof ConfigError ? error.problems.map(formatProblem) : [(error as Error).message]
    return faults.map((fault) => ({ path: ['file'], expectation: `expected a file of rules: ${fault}` }))
  }
}

/** Rules of a file come behind those of the block where neither says otherwise. Throws `TypeError` for a name that both have. */
function together(settings: RulesSettings, more: readonly RuleSettings[]): RuleSet {
  const names = new Set(settings.rules.map(({ name }) => name))
  const twice = more.find(({ name }) => names.has(name))
  if (twice !== undefined) throw new TypeError(`the configuration has a rule "${twice.name}" as well`)
  return ruleSet([...settings.rules, ...more], settings)
}

/** Throws {@link ConfigError} with the place of each fault. */
function parseRules(text: string, path: string): readonly RuleSettings[] {
  const { value, source } = parseConfig(text, path)
  return located(source, () => validate(rulesFileSchema, value)).rules
}
