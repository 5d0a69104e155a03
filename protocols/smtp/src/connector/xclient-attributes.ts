// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import type { ForwardedFacts } from '@portico/session'
import { isHelloName } from '../parse.js'

/** What may be said by XCLIENT, as EHLO names it. Never LOGIN: who sends has to prove it here. */
export const XCLIENT_ATTRIBUTES = 'NAME ADDR PORT PROTO HELO DESTADDR DESTPORT SESSION TTL'

/** A client whose address its proxy does not know: in none of the site's networks, and no client's own (RFC 1122 section 3.2.1.3). */
const UNKNOWN_ADDRESS = '0.0.0.0'

/** Reads the attributes of XCLIENT, as Postfix has it; undefined when one is unknown, malformed or given twice. */
export function parseXclient(text: string): ForwardedFacts | undefined {
  const given = new Map<string, string | undefined>()
  for (const part of text.split(' ')) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(0, equals)).toUpperCase()
    const value = decodeXtext(part.slice(equals + 1))
    const read = READERS.get(name)
    if (read === undefined || value === undefined || given.has(name)) return undefined
    const known = !/^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value)
    const meant = known ? read(value) : undefined
    if (known && meant === undefined) return undefined
    given.set(name, meant ?? (name === 'ADDR' ? UNKNOWN_ADDRESS : undefined))
  }
  return {
    address: given.get('ADDR'),
    port: given.get('PORT'),
    localAddress: given.get('DESTADDR'),
    localPort: given.get('DESTPORT'),
    sessionId: given.get('SESSION'),
    ttl: given.get('TTL'),
  }
}

/** Undefined: the value is none of this attribute's. */
type Read = (value: string) => string | undefined

const matching =
  (pattern: RegExp): Read =>
  (value) =>
    pattern.test(value) ? value : undefined

/**
 * The name that was found by the client's address is not used, and the names that the client gave itself are those of the EHLO
 * that follows: these are only read.
 */
const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['NAME', matching(/^[!-~]{1,255}$/)],
  ['ADDR', readAddress],
  ['PORT', readPort],
  ['PROTO', matching(/^E?SMTP$/i)],
  ['HELO', (value) => (isHelloName(value) ? value : undefined)],
  ['DESTADDR', readAddress],
  ['DESTPORT', readPort],
  ['SESSION', matching(/^[!-~]{1,128}$/)],
  ['TTL', matching(/^\d{1,3}$/)],
])

/** `192.0.2.1` or `IPV6:2001:db8::1`; without a zone, which means something to its own host alone. */
function readAddress(value: string): string | undefined {
  const ipv6 = /^IPV6:([^%]*)$/i.exec(value)?.[1]
  if (ipv6 !== undefined) return isIP(ipv6) === 6 ? ipv6 : undefined
  return isIP(value) === 4 ? value : undefined
}

function readPort(value: string): string | undefined {
  return /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? value : undefined
}

/** The inverse of xtext (RFC 3461 section 4), strictly; undefined when it is none, or stands for anything but ASCII. */
function decodeXtext(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[0-7][0-9A-F])+$/.test(text)) return undefined
  return text.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
