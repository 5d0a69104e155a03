// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'

/** What a Received field tells (RFC 5321 section 4.4). */
export interface TraceFacts {
  /** What the client called itself; it has been checked to be a domain or an address literal. */
  readonly helo: string
  readonly client: Endpoint
  readonly hostname: string
  readonly extended: boolean
  readonly encrypted: boolean
  readonly authenticated: boolean
  readonly international: boolean
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** The Received field that goes in front of a message, with its CRLF, folded so that no line is over-long. */
export function receivedField(facts: TraceFacts): string {
  return (
    `Received: from ${facts.helo} (${literal(facts.client)})\r\n` +
    `\tby ${facts.hostname} with ${protocolOf(facts)} id ${facts.id};\r\n` +
    `\t${rfc5322Date(facts.at)}\r\n`
  )
}

/** The value of the `with` clause (RFC 3848, RFC 6531 section 4.3). */
export function protocolOf(
  facts: Pick<TraceFacts, 'extended' | 'encrypted' | 'authenticated' | 'international'>,
): string {
  if (!facts.extended) return 'SMTP'
  const name = facts.international ? 'UTF8SMTP' : 'ESMTP'
  return `${name}${facts.encrypted ? 'S' : ''}${facts.authenticated ? 'A' : ''}`
}

function literal(endpoint: Endpoint): string {
  if (endpoint.family === 'unix') return 'local'
  return endpoint.family === 6 ? `[IPv6:${endpoint.address}]` : `[${endpoint.address}]`
}

/** RFC 5322 section 3.3, in universal time. */
export function rfc5322Date(at: number): string {
  return new Date(at).toUTCString().replace('GMT', '+0000')
}
