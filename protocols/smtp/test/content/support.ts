// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import { type Content, type ContentLimits, DEFAULT_CONTENT_LIMITS, type Unreadable } from '../../src/content/content.js'
import { contentOf } from '../../src/content/content-of.js'
import { type HeaderFields, parseHeader } from '../../src/message/header-fields.js'
import type { SpooledMessage } from '../../src/message/spool.js'

/** A message in memory; `step`: octets of each piece that a reader gets. */
export function messageOf(octets: Buffer, step = 64 * 1024): SpooledMessage {
  return {
    size: octets.length,
    async read(take) {
      for (let at = 0; at < octets.length; at += step) {
        const going = take(octets.subarray(at, at + step))
        if (!(typeof going === 'boolean' ? going : await going)) return 'stopped'
      }
      return 'done'
    },
    start: async (limit) => octets.subarray(0, limit),
  }
}

/** Lines of a message as its octets; a character for each octet. */
export function octetsOf(lines: string | readonly string[]): Buffer {
  const text = typeof lines === 'string' ? lines : lines.join('\n')
  return Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1')
}

export function fieldsOf(octets: Buffer): HeaderFields {
  const end = octets.indexOf('\r\n\r\n')
  return parseHeader(end === -1 ? octets : octets.subarray(0, end + 4), 'plain')
}

export function read(
  lines: string | readonly string[] | Buffer,
  limits: Partial<ContentLimits> = {},
  step?: number,
): Promise<Content | Unreadable> {
  const octets = Buffer.isBuffer(lines) ? lines : octetsOf(lines)
  return contentOf(messageOf(octets, step), fieldsOf(octets), { ...DEFAULT_CONTENT_LIMITS, ...limits }, NEVER)
}

/** As {@link read}, of a message that can be read. */
export async function contents(lines: string | readonly string[] | Buffer, step?: number): Promise<Content> {
  const content = await read(lines, {}, step)
  if (content.kind === 'unreadable') throw new Error(content.why)
  return content
}
