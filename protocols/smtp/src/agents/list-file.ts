// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { WatchedFile } from '@portico/base'
import type { AgentProblem, FileNeeds } from './agent-type.js'

/** A list in a file, read again when that changes; undefined where none is named. Throws when it cannot be read at first. */
export function openList<T>(
  name: string | undefined,
  parse: (text: string) => T,
  { clock, log, pathOf }: FileNeeds,
): WatchedFile<T> | undefined {
  if (name === undefined) return undefined
  const path = pathOf(name)
  return new WatchedFile({
    path,
    clock,
    parse,
    changed: () => log.info('address list read again', { path }),
    failed: (cause) => log.error('address list cannot be read, the former one stays', { path, cause }),
  })
}

/** What is wrong with the file that a key names. */
export function listProblems(
  key: string,
  name: string | undefined,
  parse: (text: string) => unknown,
  pathOf: FileNeeds['pathOf'],
): readonly AgentProblem[] {
  if (name === undefined) return []
  try {
    parse(readFileSync(pathOf(name), 'utf8'))
    return []
  } catch (error) {
    return [{ path: [key], expectation: `expected a list that can be read: ${(error as Error).message}` }]
  }
}

/** The lines of a list that say something, with their numbers. `comment` finds what is none of theirs. */
export function linesOf(text: string, comment: RegExp): readonly { readonly line: string; readonly number: number }[] {
  return text
    .split('\n')
    .map((raw, index) => ({ line: raw.replace(comment, '').trim(), number: index + 1 }))
    .filter(({ line }) => line !== '')
}
