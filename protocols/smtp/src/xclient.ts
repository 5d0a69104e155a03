// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'

/** What a trusting backend is told of the client. */
export interface XclientFacts {
  readonly peer: Endpoint
  readonly local: Endpoint
  readonly helo: string
  readonly protocol: 'SMTP' | 'ESMTP'
  readonly login: string | undefined
  readonly sessionId: string
}

/** Longest XCLIENT command with its CRLF. */
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

/**
 * The XCLIENT commands, without CRLF, for the attributes that the backend named. They are split at 512 octets, and ADDR comes
 * last, because a backend may stop trusting the connection once the address has changed.
 */
export function xclientCommands(facts: XclientFacts, attributes: readonly string[]): readonly string[] {
  const wanted: readonly (readonly [string, string | undefined])[] = [
    ['NAME', '[UNAVAILABLE]'],
    ['PORT', portOf(facts.peer)],
    ['PROTO', facts.protocol],
    ['HELO', xtext(facts.helo)],
    ['LOGIN', facts.login === undefined ? undefined : xtext(facts.login)],
    ['DESTADDR', addressOf(facts.local)],
    ['DESTPORT', portOf(facts.local)],
    ['SESSION', xtext(facts.sessionId)],
    ['ADDR', addressOf(facts.peer)],
  ]
  const offered = new Set(attributes)
  const commands: string[] = []
  let command = 'XCLIENT'
  for (const [name, value] of wanted) {
    if (value === undefined || !offered.has(name)) continue
    const attribute = ` ${name}=${value}`
    if (command.length + attribute.length + 2 > LINE && command !== 'XCLIENT') {
      commands.push(command)
      command = 'XCLIENT'
    }
    command += attribute
  }
  return command === 'XCLIENT' ? commands : [...commands, command]
}

function addressOf(endpoint: Endpoint): string {
  if (endpoint.family === 'unix') return '[UNAVAILABLE]'
  return endpoint.family === 6 ? `IPV6:${endpoint.address}` : endpoint.address
}

function portOf(endpoint: Endpoint): string {
  return endpoint.family === 'unix' ? '[UNAVAILABLE]' : String(endpoint.port)
}
