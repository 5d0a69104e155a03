// SPDX-License-Identifier: MIT
import type { DirectoryTable, Placed } from '../directory/directories.js'
import type { Answer } from './answer.js'
import { isAnswering } from './answering.js'
import { ANSWERS } from './answers.js'

/** Where an answer stands that has its place at the root of the server; `undefined` when nobody answers there. */
export function rootPlace({ entries }: DirectoryTable, path: string): Placed | undefined {
  if (ANSWERS.get(path.toLowerCase())?.atRoot !== true) return undefined
  const directory = entries.find((entry) => isAnswering(entry.directory))?.directory
  return directory && { kind: 'placed', directory, rest: path }
}

/** The answer at this place of an answering directory; `undefined` when there is none. */
export function answerAt({ rest }: Placed): Answer | undefined {
  const lower = rest.toLowerCase()
  const exact = ANSWERS.get(lower)
  if (exact !== undefined) return exact
  const end = lower.indexOf('/', 1)
  const above = end < 0 ? undefined : ANSWERS.get(lower.slice(0, end))
  return above?.deeper === true ? above : undefined
}
