// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'

/** A message, as it goes over the wire. */
export interface BigMessage {
  readonly octets: Buffer
  readonly sha256: string
}

/**
 * A message of about so many octets, in lines that end with CRLF. Some hold every octet that a line may hold, others look like
 * what a server says at the end of an answer.
 */
export function bigMessage(size: number): BigMessage {
  const all = Buffer.from(
    Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => ![0, 10, 13].includes(octet)),
  )
  const block = Buffer.concat([
    all,
    Buffer.from(
      '\r\na3 OK Fetch completed.\r\na9 BAD no\r\n* BYE\r\n+OK\r\n{12}\r\n* 1 FETCH (BODY[] {40}\r\n',
      'latin1',
    ),
  ])
  const parts = [Buffer.from('From: carol@test.lan\r\nSubject: big\r\n\r\n', 'latin1')]
  for (let length = 0, count = 0; length < size; count += 1) {
    const piece = Buffer.concat([Buffer.from(`${count}\r\n`), block])
    parts.push(piece)
    length += piece.length
  }
  const octets = Buffer.concat(parts)
  return { octets, sha256: createHash('sha256').update(octets).digest('hex') }
}
