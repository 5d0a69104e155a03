// SPDX-License-Identifier: MIT

import { headerField } from '../../agents/header-text.js'
import { htmlText } from '../../content/html-text.js'
import { parameterOf } from '../../content/mime-field.js'
import type { PartPlace } from '../../content/scan-parts.js'
import { decodeTransfer, encodeText } from '../../content/transfer.js'
import { decodeStrictly } from '../../message/decode-octets.js'
import type { HeaderField } from '../../message/header-fields.js'
import type { DisclaimerSettings } from './disclaimer-schema.js'
import { insertHtml, insertText } from './insert.js'

/** Octets of a text that can be changed: it has to be held as a whole. */
export const LONGEST_TEXT = 1024 * 1024

/** What a part becomes. */
export interface ChangedText {
  /** Says which fields of its header section go. */
  readonly remove: (field: HeaderField) => boolean
  /** Whole fields instead of them. */
  readonly fields: readonly string[]
  readonly content: Buffer
}

/** Fields about a content that is there no more. */
const REPLACED = new Set(['content-type', 'content-transfer-encoding', 'content-md5', 'content-length', 'lines'])

/** Puts disclaimers into the content of a part; undefined where that cannot be read for sure. */
export function changeText(
  part: PartPlace,
  content: Buffer,
  disclaimers: readonly DisclaimerSettings[],
): ChangedText | undefined {
  const text = readText(part, content)
  const contentType = newContentType(part)
  if (text === undefined || contentType === undefined) return undefined
  const { encoding, content: encoded } = encodeText(
    disclaimers.reduce((all, one) => withDisclaimer(part, all, one), text),
  )
  return {
    remove: ({ name }) => REPLACED.has(name),
    fields: [contentType, `Content-Transfer-Encoding: ${encoding}\r\n`],
    content: encoded,
  }
}

/** The disclaimer as it stands in plain text. */
export function plainDisclaimer({ html, text }: DisclaimerSettings): string {
  return text ?? htmlText(html)
}

function withDisclaimer({ contentType }: PartPlace, text: string, disclaimer: DisclaimerSettings): string {
  const { location } = disclaimer
  if (contentType.value === 'text/html') return insertHtml(text, disclaimer.html, location)
  const flowed = parameterOf(contentType, 'format')?.toLowerCase() === 'flowed'
  return insertText(text, plainDisclaimer(disclaimer), location, flowed)
}

/** Its lines end with LF. */
function readText({ fields, contentType }: PartPlace, content: Buffer): string | undefined {
  const octets = decodeTransfer(content, fields.first('content-transfer-encoding')?.text() ?? '')
  if (octets === undefined) return undefined
  const charset = parameterOf(contentType, 'charset')?.trim() ?? 'utf-8'
  // What is no such text would be told as something else than readers make of it.
  return decodeStrictly(octets, charset)?.replace(/\r\n?/g, '\n')
}

/** What else is said of a text stays: RFC 3676 has parameters for plain text. */
function newContentType({ contentType }: PartPlace): string | undefined {
  const kept = ['format', 'delsp'].flatMap((name) => {
    const value = parameterOf(contentType, name)
    return value === undefined || !/^[a-z]+$/i.test(value) ? [] : [`${name}=${value}`]
  })
  const value = contentType.value === '' ? 'text/plain' : contentType.value
  return headerField('Content-Type', [value, 'charset=utf-8', ...kept].join('; '))
}
