// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ReadText } from './certificates.js'
import type { FrontEndOptions } from './front-end.js'

/** How a front end gets at the files that its configuration names. */
export function filesOf({ directory = '', readText }: Pick<FrontEndOptions, 'directory' | 'readText'>): {
  readonly readText: ReadText
  readonly pathOf: (path: string) => string
} {
  const pathOf = (path: string) => resolve(directory, path)
  const read = readText ?? ((path: string) => readFileSync(pathOf(path), 'utf8'))
  return { readText: (source) => (source.kind === 'text' ? source.text : read(source.path)), pathOf }
}
