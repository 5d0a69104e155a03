// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { type Content, DEFAULT_CONTENT_LIMITS } from '../../content/content.js'
import { contentOf } from '../../content/content-of.js'
import { type PartPlace, PartScanner } from '../../content/scan-parts.js'
import { encodeText } from '../../content/transfer.js'
import type { SpooledMessage } from '../../message/spool.js'
import { type Cut, partOf, Writer } from '../../message/spool-writer.js'
import { prepared } from '../../transaction/rewrite.js'
import type { Rewritable, Rewrite, Rewritten } from '../agent.js'
import type { AttachmentJudge } from './judge-attachment.js'

/** More parts are not looked at one by one. */
const MOST_PARTS = DEFAULT_CONTENT_LIMITS.parts
/** Fields that say something of a content that is there no more. */
const REPLACED = /^content-/

/** What somebody reads where an attachment was. */
interface Note {
  readonly part: PartPlace
  readonly why: string
}

/**
 * Puts notes where attachments were that a judge has something against; every other part stays octet for octet. A message that still
 * has such an attachment afterwards is put off.
 */
export function stripAttachments(judge: AttachmentJudge): Rewrite {
  return async (from, create, signal) => {
    const notes = await notesFor(from.message, judge, signal)
    if (notes === undefined) return undefined
    const made = await written(from, notes, new Writer(create()), signal)
    if (made === undefined || notes.some(({ part }) => part.within.length === 0)) return made
    const whole = prepared([from.section], made.body, 0).message
    const after = await contentOf(whole, from.fields, DEFAULT_CONTENT_LIMITS, signal)
    return after.kind === 'content' && isClean(after, judge) ? made : undefined
  }
}

/** Each part is a message of its own to whoever looks for attachments in it, be it a message within the message or an archive. */
async function notesFor(
  message: SpooledMessage,
  judge: AttachmentJudge,
  signal: Cancellation,
): Promise<readonly Note[] | undefined> {
  const parts = await partsOf(message)
  if (parts === undefined) return undefined
  const notes: Note[] = []
  for (const part of parts) {
    const alone = partOf(message, part.start, part.end)
    const content = await contentOf(alone, part.fields, DEFAULT_CONTENT_LIMITS, signal)
    if (content.kind === 'unreadable') return undefined
    const why = content.attachments.map(judge).find((reason) => reason !== undefined)
    if (why !== undefined) notes.push({ part, why })
  }
  return notes
}

async function partsOf(message: SpooledMessage): Promise<readonly PartPlace[] | undefined> {
  const parts: PartPlace[] = []
  const scanner = new PartScanner((part) => parts.push(part))
  const ended = await message.read((piece) => {
    scanner.take(Buffer.from(piece.buffer, piece.byteOffset, piece.length))
    return !scanner.lost && parts.length <= MOST_PARTS
  })
  scanner.end()
  return ended === 'done' && !scanner.lost ? parts : undefined
}

async function written(
  { section, fields, message }: Rewritable,
  notes: readonly Note[],
  writer: Writer,
  signal: Cancellation,
): Promise<Rewritten | undefined> {
  const cuts: Cut[] = [{ from: 0, to: section.length, instead: Buffer.alloc(0) }]
  const isWhole = notes.some(({ part }) => part.within.length === 0)
  for (const { part, why } of notes) {
    const { header, content } = noteOf(why)
    const from = isWhole ? part.body : part.start
    cuts.push({
      from,
      to: part.end,
      instead: isWhole ? content : Buffer.concat([Buffer.from(`${header.join('')}\r\n`), content]),
    })
  }
  if (!(await writer.copy(message, cuts, () => !signal.aborted))) return undefined
  const body = await writer.finish()
  if (body === undefined || !isWhole) return body && { body }
  const mime = fields.first('mime-version') === undefined ? ['MIME-Version: 1.0\r\n'] : []
  const [note] = notes.map(({ why }) => noteOf(why))
  return { edits: { remove: ({ name }) => REPLACED.test(name), prepend: [...mime, ...(note?.header ?? [])] }, body }
}

function noteOf(why: string): { readonly header: readonly string[]; readonly content: Buffer } {
  const { encoding, content } = encodeText(`An attachment has been removed from this message: ${why}.\n`)
  return {
    header: ['Content-Type: text/plain; charset=utf-8\r\n', `Content-Transfer-Encoding: ${encoding}\r\n`],
    content,
  }
}

function isClean({ attachments }: Content, judge: AttachmentJudge): boolean {
  return attachments.every((attachment) => judge(attachment) === undefined)
}
