// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'

/** What a trusting backend is told of the client. */
export interface ClientFacts {
  readonly peer: Endpoint
  readonly local: Endpoint
  readonly helo: string
  readonly protocol: 'SMTP' | 'ESMTP'
  readonly sessionId: string
  /** How many more proxies the session may pass. */
  readonly remainingHops: number
}

/** What says that nothing is known: a value that an earlier client left is replaced by it. */
export const UNAVAILABLE = '[UNAVAILABLE]'

/** An end that has no address which a backend could be told of. */
export const NOWHERE: Endpoint = { address: '', port: 0, family: 'unix' }

/** Longest command with its CRLF. */
const LINE = 512

/** Encodes all but printable ASCII without `+` and `=` as `+XX` (RFC 3461 section 4), over the octets of UTF-8. */
export function xtext(text: string): string {
  let out = ''
  for (const octet of Buffer.from(text, 'utf8'))
    out +=
      octet > 0x20 && octet < 0x7f && octet !== 0x2b && octet !== 0x3d
        ? String.fromCharCode(octet)
        : `+${octet.toString(16).toUpperCase().padStart(2, '0')}`
  return out
}

/** An address as both commands want it. */
export function addressOf(endpoint: Endpoint): string {
  if (endpoint.family === 'unix') return UNAVAILABLE
  return endpoint.family === 6 ? `IPV6:${endpoint.address}` : endpoint.address
}

export function portOf(endpoint: Endpoint): string {
  return endpoint.family === 'unix' ? UNAVAILABLE : String(endpoint.port)
}

/** Commands of at most 512 octets that set these attributes in this order. */
export function attributeCommands(
  command: 'XCLIENT' | 'XFORWARD',
  attributes: Iterable<readonly [name: string, value: string]>,
): readonly string[] {
  const commands: string[] = []
  let line: string = command
  for (const [name, value] of attributes) {
    const attribute = ` ${name}=${value}`
    if (line.length + attribute.length + 2 > LINE && line !== command) {
      commands.push(line)
      line = command
    }
    line += attribute
  }
  return line === command ? commands : [...commands, line]
}
