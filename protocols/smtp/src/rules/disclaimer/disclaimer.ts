// SPDX-License-Identifier: MIT
import type { Rewritable, Rewrite, Rewritten } from '../../agents/agent.js'
import type { PartPlace } from '../../content/scan-parts.js'
import { type HeaderFields, parseHeader } from '../../message/header-fields.js'
import type { SpooledMessage } from '../../message/spool.js'
import { type Cut, octetsOf, Writer } from '../../message/spool-writer.js'
import { prepared } from '../../transaction/rewrite.js'
import { type ChangedText, changeText, LONGEST_TEXT } from './change-text.js'
import type { DisclaimerSettings } from './disclaimer-schema.js'
import { findTexts } from './find-texts.js'
import { wrap } from './wrap.js'

/** A disclaimer can be put into a message: it has a text that may be changed. Reads the message. */
export async function disclaimable(message: SpooledMessage): Promise<boolean> {
  return (await changesOf(message, [])) !== undefined
}

/**
 * Puts disclaimers into the text of a message, one after another, or does what is to be done where that is impossible; every other part
 * stays octet for octet. Where it was to be rejected and is not, the message is put off.
 */
export function makeDisclaimers(disclaimers: readonly DisclaimerSettings[]): Rewrite {
  return async (from, create, signal) => {
    const waiting = () => !signal.aborted
    const changes = await changesOf(from.message, disclaimers)
    if (changes !== undefined) return changed(from, changes, new Writer(create()), waiting)
    const fallbacks = new Set(disclaimers.map(({ fallback }) => fallback))
    if (fallbacks.has('reject')) return undefined
    if (!fallbacks.has('wrap')) return { body: prepared([], from.message, from.section.length).message }
    const wrapping = disclaimers.filter(({ fallback }) => fallback === 'wrap')
    return wrap(from, wrapping, new Writer(create()), waiting)
  }
}

interface Change {
  readonly part: PartPlace
  readonly text: ChangedText
}

async function changesOf(
  message: SpooledMessage,
  disclaimers: readonly DisclaimerSettings[],
): Promise<readonly Change[] | undefined> {
  const changes: Change[] = []
  for (const part of await findTexts(message)) {
    if (part.end - part.body > LONGEST_TEXT) return undefined
    const content = await octetsOf(message, part.body, part.end)
    const text = content === undefined ? undefined : changeText(part, content, disclaimers)
    if (text === undefined) return undefined
    changes.push({ part, text })
  }
  return changes.length === 0 ? undefined : changes
}

async function changed(
  { section, fields, message }: Rewritable,
  changes: readonly Change[],
  writer: Writer,
  waiting: () => boolean,
): Promise<Rewritten | undefined> {
  const cuts: Cut[] = [{ from: 0, to: section.length, instead: Buffer.alloc(0) }]
  for (const { part, text } of changes) {
    const from = part.within.length === 0 ? part.body : part.start
    const instead = part.within.length === 0 ? text.content : await wholePart(message, part, text)
    if (instead === undefined) return undefined
    cuts.push({ from, to: part.end, instead })
  }
  if (!(await writer.copy(message, cuts, waiting))) return undefined
  const body = await writer.finish()
  const [first] = changes
  if (body === undefined || first === undefined) return undefined
  return first.part.within.length === 0 ? { edits: editsOf(fields, first.text), body } : { body }
}

/** Of a message that is one text. */
function editsOf(fields: HeaderFields, { remove, fields: added }: ChangedText) {
  const isMime = fields.first('mime-version') !== undefined
  return { remove, prepend: isMime ? added : ['MIME-Version: 1.0\r\n', ...added] }
}

/** A part of a message, header section and all. */
async function wholePart(message: SpooledMessage, part: PartPlace, text: ChangedText): Promise<Buffer | undefined> {
  const section = await octetsOf(message, part.start, part.body)
  if (section === undefined) return undefined
  const kept = parseHeader(section, 'plain')
    .list.filter((field) => !text.remove(field) && field.name !== '')
    .map(({ start, end }) => section.subarray(start, end))
  // A delimiter begins a line.
  const ending = Buffer.from(part.tight ? '\r\n' : '')
  return Buffer.concat([...kept, Buffer.from(`${text.fields.join('')}\r\n`, 'latin1'), text.content, ending])
}
