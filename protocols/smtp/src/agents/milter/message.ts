// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { Octets } from '@portico/net'
import type { HeaderField } from '../../message/header-fields.js'
import { partOf } from '../../message/spool-writer.js'
import type { DataEndFacts } from '../agent.js'
import type { Change, Judgement } from './answers.js'
import { bodyHead, headerFrame, type Macros, macroFrame, textFrame } from './commands.js'
import { BODY_CHUNK } from './constants.js'
import type { MilterLine } from './milter-line.js'

const CONTINUE: Judgement = { kind: 'continue' }

/** A message on its way to a milter: everything behind its envelope. */
export interface ShownMessage {
  readonly facts: DataEndFacts
  readonly macros: Macros
  /** Told of each change; may throw. */
  change(change: Change): void
}

/**
 * Shows a message to a milter, and hears what it thinks of it and wants changed. Whatever it says before the end but `continue` is its
 * last word. Throws where it breaks off, or where the message cannot be read.
 */
export async function show(
  line: MilterLine,
  { facts, macros, change }: ShownMessage,
  signal: Cancellation,
): Promise<Judgement> {
  const section = await sectionOf(facts)
  const steps = [
    () => begin(line, macros, signal),
    () => showHeader(line, section, facts, signal),
    () => endHeader(line, macros, signal),
    () => showBody(line, facts, section.length + EMPTY_LINE, signal),
  ]
  for (const step of steps) {
    const said = await step()
    if (said.kind !== 'continue') return said
  }
  await line.tell(macroFrame('endOfBody', macros), textFrame('endOfBody'))
  return line.conclusion(signal, change)
}

/** Octets between the header section and the body. */
const EMPTY_LINE = 2

async function sectionOf({ fields, message }: DataEndFacts): Promise<Buffer> {
  const section = await message.start(fields.list.at(-1)?.end ?? 0)
  if (section === undefined) throw new Error('the message cannot be read')
  return section
}

async function begin(line: MilterLine, macros: Macros, signal: Cancellation): Promise<Judgement> {
  if (line.has('noData') || line.terms.version < 4) return CONTINUE
  await line.tell(macroFrame('data', macros), textFrame('data'))
  return line.has('quietData') ? CONTINUE : line.judgement(signal)
}

async function showHeader(
  line: MilterLine,
  section: Buffer,
  { fields }: DataEndFacts,
  signal: Cancellation,
): Promise<Judgement> {
  if (line.has('noHeaders')) return CONTINUE
  const frames = fields.list.flatMap((field) => frameOf(field, section, line.has('leadingSpace')))
  if (line.has('quietHeader')) {
    await line.tell(...frames)
    return CONTINUE
  }
  for (const frame of frames) {
    await line.tell(frame)
    const said = await line.judgement(signal)
    if (said.kind !== 'continue') return said
  }
  return CONTINUE
}

/** Lines that are no field are told to nobody. */
function frameOf(field: HeaderField, section: Buffer, leadingSpace: boolean): readonly Buffer[] {
  const text = section.toString('latin1', field.start, field.end)
  const colon = text.indexOf(':')
  if (field.name === '' || colon < 0) return []
  const value = text
    .slice(colon + 1)
    .replace(/\r\n$/, '')
    .replace(/\r\n/g, '\n')
  return [headerFrame(text.slice(0, colon).trimEnd(), leadingSpace ? value : value.replace(/^[\t ]+/, ''))]
}

async function endHeader(line: MilterLine, macros: Macros, signal: Cancellation): Promise<Judgement> {
  if (line.has('noEndOfHeaders')) return CONTINUE
  await line.tell(macroFrame('endOfHeaders', macros), textFrame('endOfHeaders'))
  return line.has('quietEndOfHeaders') ? CONTINUE : line.judgement(signal)
}

async function showBody(
  line: MilterLine,
  { message }: DataEndFacts,
  from: number,
  signal: Cancellation,
): Promise<Judgement> {
  if (line.has('noBody')) return CONTINUE
  let said = CONTINUE
  const end = await partOf(message, from, message.size).read(async (piece) => {
    for (const chunk of chunksOf(piece)) {
      await line.tell(bodyHead(chunk.length), chunk)
      if (!line.has('quietBody')) said = await line.judgement(signal)
      if (said.kind !== 'continue') return false
    }
    return true
  })
  if (end === 'failed') throw new Error('the message cannot be read')
  return said.kind === 'skip' ? CONTINUE : said
}

/** Pieces of equal length that each fit into a frame. */
function chunksOf(piece: Octets): readonly Octets[] {
  const count = Math.ceil(piece.length / BODY_CHUNK)
  const length = Math.ceil(piece.length / count)
  return Array.from({ length: count }, (_, at) => piece.subarray(at * length, (at + 1) * length))
}
