// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'
import { type Parameters, parseParameters, splitOutside } from './parse-text.js'
import { parseHostPort } from './parse-uri.js'

/** One Via value (RFC 3261 section 20.42). */
export interface Via {
  /** `SIP/2.0/UDP 192.0.2.7:5060`, as written. */
  readonly sentBy: string
  readonly host: string
  readonly port: number | undefined
  readonly parameters: Parameters
  /** The parameters, as written. */
  readonly written: readonly string[]
}

/** Reads one; undefined for what is none. */
export function parseVia(text: string): Via | undefined {
  const [sentBy = '', ...written] = splitOutside(text, ';') ?? []
  const match = /^SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*[A-Za-z0-9.!%*_+`'~-]{1,32}[ \t]+(\S.*)$/i.exec(sentBy)
  const host = match === null ? undefined : parseHostPort(closed(match[1] ?? ''))
  const parameters = parseParameters(written)
  return host === undefined || parameters === undefined ? undefined : { sentBy, ...host, parameters, written }
}

/** There may be white space around the colon of the port (section 25.1, `sent-by`). */
function closed(text: string): string {
  const colon = text.lastIndexOf(':')
  const port = text.slice(colon + 1).trim()
  return colon > 0 && /^\d{1,5}$/.test(port) ? `${text.slice(0, colon).trim()}:${port}` : text
}

/**
 * The topmost Via as a response carries it back: `received` where the sender named itself otherwise or wants to know its port, and
 * that port (RFC 3261 section 18.2.1, RFC 3581 section 4). What the sender itself said of them does not count.
 */
export function returnedVia(via: Via, { address, port, family }: Endpoint): string {
  // Who comes through a Unix socket has no address that anybody could be told.
  if (family === 'unix') return [via.sentBy, ...via.written].join(';')
  const asked = via.parameters.has('rport')
  const plain = address.replace(/%.*$/, '')
  const others = via.written.filter((one) => !/^(?:received|rport)[ \t]*(?:=|$)/i.test(one))
  const received = asked || !isSameHost(via.host, plain) ? [`received=${plain}`] : []
  return [via.sentBy, ...others, ...received, ...(asked ? [`rport=${port}`] : [])].join(';')
}

const DEFAULT_PORT = 5_060

/**
 * To which port a response to a datagram goes (RFC 3261 section 18.2.2, RFC 3581 section 4); always at the address that the
 * request came from. `maddr` would lead to somebody else, so it does not count.
 */
export function answeredPort(via: Via, { port }: Endpoint): number {
  return via.parameters.has('rport') ? port : (via.port ?? DEFAULT_PORT)
}

function isSameHost(host: string, address: string): boolean {
  if (host === address.toLowerCase()) return true
  return host.includes(':') && address.includes(':') && canonical(host) === canonical(address)
}

/** One text for one IPv6 address; the text itself for what is none. */
function canonical(address: string): string {
  const url = `http://[${address}]`
  return URL.canParse(url) ? new URL(url).hostname : address
}
