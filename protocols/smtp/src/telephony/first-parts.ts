// SPDX-License-Identifier: MIT
import { type HeaderFields, parseHeader } from '../message/header-fields.js'
import type { SpooledMessage } from '../message/spool.js'

/** Octets of a message in which parts are looked for: a cover page and the beginning of what is behind it. */
const FRONT = 128 * 1024
const MOST_PARTS = 8

/** Its front, one character for each octet; undefined when it could not be read. */
export async function frontOf(message: SpooledMessage): Promise<string | undefined> {
  return (await message.start(FRONT))?.toString('latin1')
}

/**
 * The header sections of the parts of a multipart message that begin in a text (RFC 2046 section 5.1), those that have ended there,
 * at most eight. Parts within parts are not looked for.
 */
export function firstParts(text: string, boundary: string): readonly HeaderFields[] {
  const parts: HeaderFields[] = []
  const delimiter = `\r\n--${boundary}`
  for (let at = text.indexOf(delimiter); at >= 0 && parts.length < MOST_PARTS; at = text.indexOf(delimiter, at)) {
    const start = text.indexOf('\r\n', at + delimiter.length)
    // Behind the last one stand two more hyphens, behind the others perhaps white space; anything else is a longer boundary.
    const rest = start < 0 ? '--' : text.slice(at + delimiter.length, start)
    at += delimiter.length
    if (rest.trimEnd() === '--') break
    if (rest.trim() !== '') continue
    const end = text.startsWith('\r\n', start + 2) ? start + 4 : text.indexOf('\r\n\r\n', start + 2)
    if (end < 0) break
    parts.push(parseHeader(Buffer.from(text.slice(start + 2, end + 4), 'latin1'), 'plain'))
  }
  return parts
}
