// SPDX-License-Identifier: MIT

/** Where something stands in a configuration file; both numbers count from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Keys and list indices from the top of the configuration to a place in it. */
export type ConfigPath = readonly (string | number)[]

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** The place; empty for the whole. */
  readonly path: ConfigPath
  /** What should be there, as a phrase: `expected a duration such as 30s`. */
  readonly expectation: string
  /** The fault is the key itself, not what it holds. */
  readonly ofKey?: boolean
  /** Known when the configuration came from a file. */
  readonly position?: Position
}

/** A configuration that cannot be used, with everything that is wrong with it. Its message has one line per problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[], options: { readonly cause?: unknown } = {}) {
    super(problems.map(formatProblem).join('\n'), options)
    this.problems = problems
  }
}

/** `file:line:column: path: expected …`, without the parts that are not known. */
export function formatProblem(problem: ConfigProblem): string {
  const { position, path, expectation } = problem
  const parts = [expectation]
  if (path.length > 0) parts.unshift(formatPath(path))
  if (position !== undefined) parts.unshift(`${position.file}:${position.line}:${position.column}`)
  return parts.join(': ')
}

/** `listeners[2].address`. Keys that are no plain words are quoted. */
export function formatPath(path: ConfigPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (!/^[\w-]+$/.test(part)) text += `[${JSON.stringify(part)}]`
    else text += text === '' ? part : `.${part}`
  }
  return text
}
