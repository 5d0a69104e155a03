// SPDX-License-Identifier: MIT
import { randomUUID } from 'node:crypto'
import type { Rewritable, Rewritten } from '../../agents/agent.js'
import { encodeText } from '../../content/transfer.js'
import type { SpooledMessage } from '../../message/spool.js'
import type { Writer } from '../../message/spool-writer.js'
import { plainDisclaimer } from './change-text.js'
import type { DisclaimerSettings } from './disclaimer-schema.js'

/** Fields that say something of the content, and a signature of it: those of the new message are its own. */
const REPLACED = /^(?:content-.*|mime-version|dkim-signature)$/

/** A new message that says the disclaimers and takes the message along (RFC 2046 section 5.2.1), which stays octet for octet. */
export async function wrap(
  { section, message }: Rewritable,
  disclaimers: readonly DisclaimerSettings[],
  writer: Writer,
  waiting: () => boolean,
): Promise<Rewritten | undefined> {
  const outer = newBoundary()
  const transfer = await transferOf(message)
  if (transfer === undefined) return undefined
  // A header section in UTF-8 makes another type of it (RFC 6532 section 3.7).
  const type = isAscii(section) ? 'message/rfc822' : 'message/global'
  await writer.write(
    lines(
      `--${outer}`,
      ...disclaimerPart(disclaimers),
      `--${outer}`,
      `Content-Type: ${type}`,
      `Content-Transfer-Encoding: ${transfer}`,
      'Content-Disposition: attachment',
      '',
    ),
  )
  if (!(await writer.copy(message, [], waiting))) return undefined
  await writer.write(lines('', `--${outer}--`))
  const body = await writer.finish()
  if (body === undefined) return undefined
  const prepend = [
    'MIME-Version: 1.0\r\n',
    `Content-Type: multipart/mixed; boundary="${outer}"\r\n`,
    ...(transfer === '7bit' ? [] : [`Content-Transfer-Encoding: ${transfer}\r\n`]),
  ]
  return { edits: { remove: ({ name }) => REPLACED.test(name), prepend }, body }
}

function disclaimerPart(disclaimers: readonly DisclaimerSettings[]): readonly string[] {
  const inner = newBoundary()
  return [
    `Content-Type: multipart/alternative; boundary="${inner}"`,
    '',
    `--${inner}`,
    ...textPart('plain', `${disclaimers.map(plainDisclaimer).join('\n\n')}\n`),
    `--${inner}`,
    ...textPart('html', `${disclaimers.map(({ html }) => html).join('\n')}\n`),
    `--${inner}--`,
    '',
  ]
}

function textPart(subtype: string, text: string): readonly string[] {
  const { encoding, content } = encodeText(text.replace(/\r\n?/g, '\n'))
  return [
    `Content-Type: text/${subtype}; charset=utf-8`,
    `Content-Transfer-Encoding: ${encoding}`,
    '',
    content.toString('latin1'),
  ]
}

/** Nobody who writes a message can know it. */
function newBoundary(): string {
  return `=_portico_${randomUUID()}`
}

function lines(...all: readonly string[]): Buffer {
  return Buffer.from(all.map((line) => `${line}\r\n`).join(''), 'latin1')
}

/** How a message can be carried as it is (RFC 2045 section 6.2); undefined when it cannot be read. */
async function transferOf(message: SpooledMessage): Promise<'7bit' | '8bit' | 'binary' | undefined> {
  let ascii = true
  let binary = false
  let last = 0
  const ended = await message.read((piece) => {
    for (const octet of piece) {
      if (octet > 127) ascii = false
      else if (octet === 0 || (octet === 10) !== (last === 13)) binary = true
      last = octet
    }
    return true
  })
  if (ended !== 'done') return undefined
  return binary ? 'binary' : ascii ? '7bit' : '8bit'
}

function isAscii(octets: Buffer): boolean {
  return octets.every((octet) => octet < 128)
}
