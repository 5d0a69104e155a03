// SPDX-License-Identifier: MIT
import { parseHead } from '../src/parse.js'
import { type Request, requestOf } from '../src/request.js'
import type { MailboxRules } from '../src/target.js'

/** Lines of a head as octets on the wire, without the empty line. */
export function head(...lines: readonly string[]): string {
  return lines.join('\r\n')
}

/** The fields that every good request has. */
export const FIELDS = [
  'Via: SIP/2.0/UDP gw.example.net:5060;branch=z9hG4bK-1',
  'From: <sip:gw@example.net>;tag=f1',
  'To: <sip:kim@example.com>',
  'Call-ID: c1@example.net',
  'Max-Forwards: 70',
] as const

/** A good request with these fields besides. */
export function message(method: string, uri: string, ...more: readonly string[]): string {
  return head(`${method} ${uri} SIP/2.0`, ...FIELDS, `CSeq: 1 ${method}`, ...more)
}

/** Throws for what is no request. */
export function request(text: string): Request {
  const parsed = parseHead(Buffer.from(text, 'utf8').toString('latin1'))
  if (parsed.kind !== 'request') throw new Error(`a ${parsed.kind} instead of a request`)
  return requestOf(parsed)
}

export const RULES: MailboxRules = {
  domains: ['example.com', 'example.org'],
  hosts: ['192.0.2.40', '2001:db8::40'],
  mailboxFrom: ['diversion', 'history-info'],
}

export const PEER = { trusted: true, admitted: true } as const
