// SPDX-License-Identifier: MIT
import type { HeaderFields } from '../message/header-fields.js'
import { parseMimeField } from './mime-field.js'

/** A longer name is cut in front: what a file is stands at its end. */
const LONGEST = 512

/** All names that some reader could give the file that a part is (RFC 2183 section 2.3, and Content-Type's `name`), without folders. */
export function fileNames(fields: HeaderFields): readonly string[] {
  const names = fields.list
    .filter(({ name }) => name === 'content-disposition' || name === 'content-type')
    .toSorted((one, other) => Number(other.name === 'content-disposition') - Number(one.name === 'content-disposition'))
    .flatMap((field) => {
      const { parameters } = parseMimeField(field.text())
      return parameters.get(field.name === 'content-type' ? 'name' : 'filename') ?? []
    })
  return [...new Set(names.map(baseName).filter((name) => name !== ''))]
}

/** Without folders, controls and what Windows ignores at the end of a name. */
export function baseName(path: string): string {
  const [name = ''] = path
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .split(/[/\\]/)
    .slice(-1)
  return name
    .slice(-LONGEST)
    .trim()
    .replace(/[. ]+$/, '')
}

/** What stands behind the last dot, in lower case; '' where there is none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot === -1 ? '' : name.slice(dot + 1).toLowerCase()
}
