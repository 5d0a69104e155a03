// SPDX-License-Identifier: MIT
import { ConfigError, type ConfigPath, type ConfigProblem } from './config-error.js'
import type { Schema, z } from './language.js'

type Issue = z.core.$ZodIssue

/** The settings that a plain value stands for. Throws {@link ConfigError} with every problem. */
export function validate<T>(schema: Schema<T>, value: unknown): T {
  const result = schema.safeParse(value, { reportInput: true })
  if (result.success) return result.data
  throw new ConfigError(result.error.issues.flatMap((issue) => problemsOf(issue, [])))
}

function problemsOf(issue: Issue, prefix: ConfigPath): ConfigProblem[] {
  const path = [...prefix, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], expectation: 'unknown key', ofKey: true }))
  }
  if (issue.code === 'invalid_union') {
    const closest = closestBranch(issue.errors)
    if (closest !== undefined) return closest.flatMap((inner) => problemsOf(inner, path))
  }
  return [{ path, expectation: expectationOf(issue) }]
}

/** Of several forms that a value may have, the one that it came nearest to: whose problems lie deepest, then fewest. */
function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const depth = (branch: readonly Issue[]) => Math.max(0, ...branch.map((issue) => issue.path.length))
  const deep = branches.filter((branch) => depth(branch) > 0)
  const shapes =
    deep.length > 0 ? deep : branches.filter((branch) => branch.some((issue) => issue.code !== 'invalid_type'))
  return [...shapes].sort((a, b) => a.length - b.length || depth(b) - depth(a))[0]
}

function expectationOf(issue: Issue): string {
  if (issue.code === 'invalid_union') return unionExpectation(issue)
  const missing = issue.code !== 'custom' && 'input' in issue && issue.input === undefined
  if (missing && issue.code === 'invalid_type') return `expected ${naming(issue.expected)}, but the key is missing`
  if (issue.code === 'invalid_type') return `expected ${naming(issue.expected)}, found ${kindOf(issue.input)}`
  if (issue.code === 'invalid_value')
    return `expected ${issue.values.map((value) => String(value)).join(' or ')}${missing ? ', but the key is missing' : ''}`
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}${unitOf(issue.origin)}`
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}${unitOf(issue.origin)}`
  const text = issue.message.replace(/^Invalid input: /, '')
  return text.startsWith('expected') ? text : `expected something else: ${text}`
}

function unionExpectation(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const { discriminator, options } = issue as { discriminator?: string; options?: readonly unknown[] }
  if (discriminator !== undefined && options !== undefined)
    return `expected ${discriminator} to be ${options.join(' or ')}`
  const wanted = issue.errors.flat().flatMap((inner) => (inner.code === 'invalid_type' ? [naming(inner.expected)] : []))
  return `expected ${[...new Set(wanted)].join(' or ')}, found ${kindOf(issue.input)}`
}

const NAMES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
}

function naming(expected: string): string {
  return NAMES[expected] ?? expected
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? (value.constructor === Object ? 'a mapping' : 'a secret') : naming(typeof value)
}

function unitOf(origin: string): string {
  return origin === 'array' ? ' entries' : origin === 'string' ? ' characters' : ''
}
