// SPDX-License-Identifier: MIT
import type { HeaderFields } from '../message/header-fields.js'
import { lenientName } from '../message/header-firewall.js'
import { parseMimeField } from './mime-field.js'

/** Encodings from before MIME: only some readers see the file in it. */
const OLD = /^\W*(?:x-)?(?:uu|yenc|binhex)/

/**
 * Why readers do not agree on what a part is: some believe the first of two words, others the last, and what one of them shows the
 * other never sees. Undefined where they do. The same said twice is no harm.
 */
export function ambiguityOf(fields: HeaderFields): string | undefined {
  const types = textsOf(fields, 'content-type').map(parseMimeField)
  const described = [...types, ...textsOf(fields, 'content-disposition').map(parseMimeField)]
  if (described.some(({ whole }) => !whole)) return 'a part has more parameters than are read'
  if (differ(types.map(({ value }) => value))) return 'a part has two media types'
  const multiparts = types.filter(({ value }) => value.startsWith('multipart/'))
  if (differ(multiparts.flatMap(({ parameters }) => parameters.get('boundary') ?? [])))
    return 'a part has two boundaries'
  const encodings = textsOf(fields, 'content-transfer-encoding').map((text) => text.trim().toLowerCase())
  if (differ(encodings)) return 'a part has two transfer encodings'
  return encodings.some((one) => OLD.test(one)) ? 'a part has a transfer encoding that few readers know' : undefined
}

function textsOf(fields: HeaderFields, name: string): readonly string[] {
  return fields.list.filter((field) => lenientName(field) === name).map((field) => field.text())
}

function differ(words: readonly string[]): boolean {
  return words.some((word) => word !== words[0])
}
