// SPDX-License-Identifier: MIT
import { type PartPlace, PartScanner } from '../content/scan-parts.js'
import type { SpooledMessage } from '../message/spool.js'

/** Octets of a message in which parts are looked for: a cover page and the beginning of what is behind it. */
const FRONT = 128 * 1024
const MOST_PARTS = 8

/** The parts that begin at the front of a message and hold no others, at most eight; undefined when it could not be read. */
export async function firstParts(message: Pick<SpooledMessage, 'start'>): Promise<readonly PartPlace[] | undefined> {
  const front = await message.start(FRONT)
  if (front === undefined) return undefined
  const parts: PartPlace[] = []
  const scanner = new PartScanner((part) => {
    parts.push(part)
    scanner.lost = parts.length === MOST_PARTS
  })
  scanner.take(front)
  scanner.end()
  return parts
}
