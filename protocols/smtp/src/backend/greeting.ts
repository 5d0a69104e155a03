// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { Conversation } from '@portico/net'
import type { SmtpSettings } from '../schema.js'
import { type Answer, readReply } from './answer.js'
import { extensionsOf } from './reply.js'

/** SMTP, or its sibling for final deliveries (RFC 2033). */
export type Dialect = 'smtp' | 'lmtp'

/** What a backend offers: keyword to parameters. */
export type Extensions = ReadonlyMap<string, string>

/** What is known of a backend connection, and what has been asserted on it. It stays with the connection from client to client. */
export interface SmtpGreeting {
  readonly dialect: Dialect
  /** What we call ourselves there. */
  readonly name: string
  /** How the backend is told who the client is. */
  readonly clientFacts: SmtpSettings['clientFacts']
  /** What was offered last. */
  extensions: Extensions
  /** AUTH was said: no command takes that back. */
  authenticated: boolean
  /** Attributes that XCLIENT has set: each stays until it is set again. */
  readonly xclient: Set<string>
  /** It has said that it knows no IPv6 (Postfix with `inet_protocols = ipv4`), or has not; undefined: nobody has asked. */
  ipv6: boolean | undefined
  /** How many clients it has served. */
  served: number
}

/** What saying hello came to. */
export type Hello =
  | { readonly kind: 'offers'; readonly extensions: Extensions }
  | { readonly kind: 'none'; readonly answer: Answer }

/** EHLO, or LHLO in LMTP, and what the backend offers then. */
export async function sayHello(
  conversation: Conversation,
  dialect: Dialect,
  name: string,
  signal: Cancellation,
): Promise<Hello> {
  conversation.leg.writeText(`${dialect === 'lmtp' ? 'LHLO' : 'EHLO'} ${name}\r\n`)
  const answer = await readReply(conversation, signal)
  if (answer.kind === 'lost' || answer.reply.code !== 250) return { kind: 'none', answer }
  return { kind: 'offers', extensions: extensionsOf(answer.reply.lines) }
}

/** The attributes that the backend takes by a command, XCLIENT or XFORWARD. */
export function attributesOf(extensions: Extensions, command: 'XCLIENT' | 'XFORWARD'): ReadonlySet<string> {
  return new Set(extensions.get(command)?.split(/ +/) ?? [])
}
