// SPDX-License-Identifier: MIT
import { type Backend, BackendError, type BackendErrorCode, type BackendPhase, type Cancellation } from '@portico/base'
import { backendErrorOfUpgrade, backendTlsOptions, type Conversation, converse, type Leg } from '@portico/net'
import type { BackendDriver, Prepared } from '@portico/pool'
import type { SmtpSettings } from '../schema.js'
import { sharedOf } from '../shared.js'
import { type Answer, isReply, readReply, troubleOf } from './answer.js'
import { type Dialect, type Hello, type SmtpGreeting, sayHello } from './greeting.js'
import { resetConnection } from './reset.js'

const HANDSHAKE = 10_000

/** How connections to backends are prepared and reset: those that speak SMTP, and those that speak LMTP. */
export function smtpDrivers(
  settings: SmtpSettings,
): readonly [BackendDriver<SmtpGreeting>, BackendDriver<SmtpGreeting>] {
  return [driver('smtp', settings), driver('lmtp', settings)]
}

/**
 * Prepares a connection: greeting, EHLO or LHLO, and STARTTLS where the backend's policy says so, with EHLO again (RFC 3207 section
 * 4.2). It serves one client after the other as far as `resetConnection` can prove that nothing of the last one is left.
 */
function driver(dialect: Dialect, settings: SmtpSettings): BackendDriver<SmtpGreeting> {
  const { offers } = sharedOf(settings)
  return {
    protocol: dialect,
    reuse: 'after-reset',
    warm: true,
    // RFC 5321 section 4.1.1.10.
    goodbye: 'QUIT\r\n',
    async prepare(leg, backend, signal) {
      const conversation = converse(leg)
      const name = settings.helo ?? addressLiteral(leg)
      const greeting = await readReply(conversation, signal)
      if (!isReply(greeting, 220)) return failed(greeting, backend, 'greeting')
      const plain = await introduce(conversation, dialect, name, signal)
      const hello =
        plain.kind === 'offers' && backend.tls.mode === 'starttls'
          ? await startTls(conversation, backend, plain, () => sayHello(conversation, dialect, name, signal), signal)
          : plain
      if (hello.kind === 'failed') return hello
      if (hello.kind === 'none') return failed(hello.answer, backend, 'greeting')
      const { extensions } = hello
      offers.learn(backend.id, extensions)
      const { clientFacts } = settings
      const state = { extensions, authenticated: false, xclient: new Set<string>(), ipv6: undefined, served: 0 }
      return { kind: 'ready', greeting: { dialect, name, clientFacts, ...state } }
    },
    reset: resetConnection,
  }
}

/** A server that does not know EHLO is greeted the old way, and offers nothing (RFC 5321 section 3.2). */
async function introduce(
  conversation: Conversation,
  dialect: Dialect,
  name: string,
  signal: Cancellation,
): Promise<Hello> {
  const hello = await sayHello(conversation, dialect, name, signal)
  if (hello.kind === 'offers' || dialect === 'lmtp') return hello
  if (!isReply(hello.answer, 500) && !isReply(hello.answer, 502)) return hello
  conversation.leg.writeText(`HELO ${name}\r\n`)
  const answer = await readReply(conversation, signal)
  return isReply(answer, 250) ? { kind: 'offers', extensions: new Map() } : { kind: 'none', answer }
}

async function startTls(
  conversation: Conversation,
  backend: Backend,
  offered: Extract<Hello, { kind: 'offers' }>,
  again: () => Promise<Hello>,
  signal: Cancellation,
): Promise<Hello | Extract<Prepared<SmtpGreeting>, { kind: 'failed' }>> {
  const fail = (cause: unknown, code: BackendErrorCode = 'tls') => ({
    kind: 'failed' as const,
    error: new BackendError({ code, backend: backend.id, phase: 'tls', cause }),
  })
  if (!offered.extensions.has('STARTTLS')) return fail('STARTTLS is not offered')
  conversation.leg.writeText('STARTTLS\r\n')
  const ready = await readReply(conversation, signal)
  if (!isReply(ready, 220)) return failed(ready, backend, 'tls')
  // What came in the clear must not be taken for what is said under TLS.
  if (conversation.leg.buffered > 0) return fail('octets behind the reply to STARTTLS')
  const upgraded = await conversation.leg.upgradeClient(backendTlsOptions(backend), HANDSHAKE)
  if (upgraded.kind === 'secure') return again()
  return fail(upgraded.cause ?? upgraded.reason, backendErrorOfUpgrade(upgraded.reason))
}

function failed(
  answer: Answer,
  backend: Backend,
  phase: BackendPhase,
): Extract<Prepared<SmtpGreeting>, { kind: 'failed' }> {
  return { kind: 'failed', error: troubleOf(answer, backend.id, phase) }
}

function addressLiteral(leg: Leg): string {
  const { local } = leg.facts
  if (local.family === 'unix') return 'localhost'
  return local.family === 6 ? `[IPv6:${local.address}]` : `[${local.address}]`
}
