// SPDX-License-Identifier: MIT
import { type Backend, BackendError, type BackendPhase, type Cancellation } from '@portico/base'
import { type Conversation, converse, type Leg } from '@portico/net'
import type { BackendDriver, Prepared } from '@portico/pool'
import { extensionsOf } from './backend-reply.js'
import { type Answer, readReply, troubleOf } from './backend-session.js'
import type { SmtpSettings } from './schema.js'

/** What is known of a backend before anything of a user reached it. */
export interface SmtpGreeting {
  readonly extensions: ReadonlyMap<string, string>
}

const HANDSHAKE = 10_000

/**
 * Prepares SMTP backend connections: greeting, EHLO, and STARTTLS where the backend's policy says so, with EHLO again
 * (RFC 3207 section 4.2). XCLIENT changes a connection for good and AUTH cannot be taken back, so none is lent twice.
 */
export function smtpDriver(settings: SmtpSettings): BackendDriver<SmtpGreeting> {
  return {
    protocol: 'smtp',
    reuse: 'never',
    warm: true,
    async prepare(leg, backend, signal) {
      const conversation = converse(leg)
      const greeting = await readReply(conversation, signal)
      if (!isReply(greeting, 220)) return failed(greeting, backend, 'greeting')
      const hello = await sayHello(conversation, settings.helo ?? addressLiteral(leg), signal)
      if (hello.kind !== 'offers') return failed(hello.answer, backend, 'greeting')
      if (backend.tls.mode !== 'starttls') return { kind: 'ready', greeting: { extensions: hello.extensions } }
      return startTls(conversation, backend, hello.extensions, settings.helo ?? addressLiteral(leg), signal)
    },
  }
}

async function startTls(
  conversation: Conversation,
  backend: Backend,
  offered: ReadonlyMap<string, string>,
  name: string,
  signal: Cancellation,
): Promise<Prepared<SmtpGreeting>> {
  const fail = (cause: unknown): Prepared<SmtpGreeting> => ({
    kind: 'failed',
    error: new BackendError({ code: 'tls', backend: backend.id, phase: 'tls', cause }),
  })
  if (!offered.has('STARTTLS')) return fail('STARTTLS is not offered')
  conversation.leg.writeText('STARTTLS\r\n')
  const ready = await readReply(conversation, signal)
  if (!isReply(ready, 220)) return failed(ready, backend, 'tls')
  const { ca, verify, servername } = backend.tls
  const host = backend.address.kind === 'tcp' ? backend.address.host : 'localhost'
  const upgraded = await conversation.leg.upgradeClient(
    { servername: servername ?? host, verify, ...(ca === undefined ? {} : { ca }) },
    HANDSHAKE,
  )
  if (upgraded.kind === 'failed') return fail(upgraded.cause ?? upgraded.reason)
  const hello = await sayHello(conversation, name, signal)
  if (hello.kind !== 'offers') return failed(hello.answer, backend, 'greeting')
  return { kind: 'ready', greeting: { extensions: hello.extensions } }
}

/** EHLO, and what the backend offers then. */
export async function sayHello(
  conversation: Conversation,
  name: string,
  signal: Cancellation,
): Promise<
  | { readonly kind: 'offers'; readonly extensions: ReadonlyMap<string, string> }
  | { readonly kind: 'none'; readonly answer: Answer }
> {
  conversation.leg.writeText(`EHLO ${name}\r\n`)
  const answer = await readReply(conversation, signal)
  if (answer.kind === 'lost' || answer.reply.code !== 250) return { kind: 'none', answer }
  return { kind: 'offers', extensions: extensionsOf(answer.reply.lines) }
}

function isReply(answer: Answer, code: number): boolean {
  return answer.kind === 'reply' && answer.reply.code === code
}

function failed(answer: Answer, backend: Backend, phase: BackendPhase): Prepared<SmtpGreeting> {
  return { kind: 'failed', error: troubleOf(answer, backend.id, phase) }
}

function addressLiteral(leg: Leg): string {
  const { local } = leg.facts
  if (local.family === 'unix') return 'localhost'
  return local.family === 6 ? `[IPv6:${local.address}]` : `[${local.address}]`
}
