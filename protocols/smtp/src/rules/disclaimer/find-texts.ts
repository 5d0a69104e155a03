// SPDX-License-Identifier: MIT
import { fileNames } from '../../content/file-name.js'
import { parseMimeField } from '../../content/mime-field.js'
import { type Multipart, type PartPlace, PartScanner } from '../../content/scan-parts.js'
import type { SpooledMessage } from '../../message/spool.js'

/** Multiparts whose parts nobody may change (RFC 1847 section 2). */
const SEALED = new Set(['multipart/signed', 'multipart/encrypted'])

/**
 * Finds the text of a message that a reader is shown: the first one, and where that is one of several ways to say the same
 * (multipart/alternative) the other one of plain text and HTML as well. Empty where there is none, none that may be changed, or the
 * message cannot be read.
 */
export async function findTexts(message: SpooledMessage): Promise<readonly PartPlace[]> {
  const texts: PartPlace[] = []
  const scanner = new PartScanner((part) => {
    const [first] = texts
    if (isText(part) && (first === undefined || (texts.length === 1 && saysTheSame(part, first)))) texts.push(part)
  })
  const ended = await message.read((piece) => {
    scanner.take(Buffer.from(piece.buffer, piece.byteOffset, piece.length))
    return !scanner.lost
  })
  scanner.end()
  const sealed = texts.some(({ within }) => within.some(({ type }) => SEALED.has(type)))
  return ended !== 'done' || scanner.lost || sealed ? [] : texts
}

function isText({ fields, contentType, within }: PartPlace): boolean {
  const disposition = parseMimeField(fields.first('content-disposition')?.text() ?? '').value
  if (!['', 'inline'].includes(disposition) || fileNames(fields).length > 0) return false
  if (contentType.value === '') return within.at(-1)?.type !== 'multipart/digest'
  return contentType.value === 'text/plain' || contentType.value === 'text/html'
}

/** They are in one multipart/alternative, and one is plain text, the other HTML. */
function saysTheSame(one: PartPlace, other: PartPlace): boolean {
  const html = (part: PartPlace) => part.contentType.value === 'text/html'
  const alternative = (multipart: Multipart) => multipart.type === 'multipart/alternative'
  return (
    html(one) !== html(other) &&
    one.within.some((multipart) => alternative(multipart) && other.within.includes(multipart))
  )
}
