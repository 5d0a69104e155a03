// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { Octets } from '@portico/net'
import type { Rewrite } from '../agents/agent.js'
import { editHeader, parseHeader } from '../message/header-fields.js'
import type { Spool, SpooledMessage, SpoolReader } from '../message/spool.js'
import { partOf } from '../message/spool-writer.js'

/** A message whose header section is as it goes out. */
export interface Prepared {
  readonly section: Buffer
  /** With the section in front. */
  readonly message: SpooledMessage
}

const EMPTY_LINE = Buffer.from('\r\n')

/** Puts a header section in front of a message instead of its first `skipped` octets. */
export function prepared(pieces: readonly Octets[], message: SpooledMessage, skipped: number): Prepared {
  const section = Buffer.concat(pieces)
  const size = section.length + message.size - skipped
  const read = (take: SpoolReader) => readBoth(section, message, skipped, take)
  return { section, message: { size, read, start: (limit) => startOf(read, limit) } }
}

/** Lets rewriters do their work, one after another. Undefined: one of them could not. */
export async function rewritten(
  message: Prepared,
  rewrites: readonly Rewrite[],
  create: () => Spool,
  signal: Cancellation,
): Promise<Prepared | undefined> {
  let last = message
  for (const rewrite of rewrites) {
    const fields = parseHeader(last.section, 'plain')
    const made = await rewrite({ ...last, fields }, create, signal)
    if (made === undefined) return undefined
    const pieces = editHeader(last.section, fields, made.edits === undefined ? [] : [made.edits], 'plain')
    last = prepared(endsHeader(last.section) ? pieces : [...pieces, EMPTY_LINE], made.body, 0)
  }
  return last
}

/** A message may be all header (RFC 5322 section 2.1): its empty line comes with the body that it gets. */
function endsHeader(section: Buffer): boolean {
  return section.equals(EMPTY_LINE) || section.subarray(-4).equals(Buffer.from('\r\n\r\n'))
}

async function readBoth(
  section: Buffer,
  message: SpooledMessage,
  skipped: number,
  take: SpoolReader,
): Promise<'done' | 'stopped' | 'failed'> {
  if (section.length > 0 && !(await take(section))) return 'stopped'
  return partOf(message, skipped, message.size).read(take)
}

async function startOf(read: SpooledMessage['read'], limit: number): Promise<Buffer | undefined> {
  const pieces: Octets[] = []
  let missing = limit
  const end = await read((piece) => {
    pieces.push(piece.subarray(0, missing))
    missing -= Math.min(missing, piece.length)
    return missing > 0
  })
  return end === 'failed' ? undefined : Buffer.concat(pieces)
}
