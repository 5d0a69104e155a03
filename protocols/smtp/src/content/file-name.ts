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
  return [...new Set(names.flatMap(namesMadeOf))]
}

/**
 * Names that a system makes of a written one: some programs end it at NUL, and Windows takes what follows a colon for a stream within
 * the file (`a.exe::$DATA` is a.exe).
 */
export function namesMadeOf(path: string): readonly string[] {
  const [ended = ''] = path.split('\0', 1)
  const whole = [path, ended].map(baseName)
  const files = whole.map((name) => baseName(name.split(':', 1)[0] ?? '')).filter((name) => name.includes('.'))
  return [...new Set([...whole, ...files])].filter((name) => name !== '')
}

/** A name within an archive, and those made of it that end otherwise. */
export function archivedNames(path: string): readonly string[] {
  return [path, ...namesMadeOf(path).filter((name) => name !== path && !path.endsWith(`/${name}`))]
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
