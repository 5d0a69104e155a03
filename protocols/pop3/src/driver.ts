// SPDX-License-Identifier: MIT
import type { Backend, Cancellation } from '@portico/base'
import type { Leg } from '@portico/net'
import type { BackendDriver, Prepared } from '@portico/pool'
import { BackendDialogue, type BackendFailed } from '@portico/session'
import { ask, readList } from './backend-client.js'
import { parseCapabilities } from './parse.js'

/** What is known of a backend connection before anybody signs in on it. */
export interface Pop3Greeting {
  /** By tag, upper case. Empty where the backend has no CAPA. */
  readonly capabilities: ReadonlyMap<string, readonly string[]>
  /** Takes XCLIENT from us. */
  readonly xclient: boolean
}

/** The backend's TLS handshake takes no longer; the pool's deadline for the whole connection holds besides. */
const HANDSHAKE_MS = 10_000

/** How POP3 backend connections are prepared. No command takes an identity back, so none is lent twice. */
export function pop3Driver(): BackendDriver<Pop3Greeting> {
  return { protocol: 'pop3', reuse: 'never', warm: true, prepare }
}

async function prepare(leg: Leg, backend: Backend, signal: Cancellation): Promise<Prepared<Pop3Greeting>> {
  const dialogue = new BackendDialogue(leg, backend, 'greeting', signal)
  const greeting = await ask(dialogue)
  if (greeting.kind === 'failed') return greeting
  if (greeting.kind !== 'ok') return dialogue.fail(greeting.kind === 'error' ? 'temporary' : 'garbage')
  if (backend.tls.mode === 'starttls' && leg.tls === undefined) {
    const failed = await startTls(dialogue)
    if (failed !== undefined) return failed
  }
  // Asked after TLS only: what was said in the clear would have to be forgotten (RFC 2595 section 4).
  const capa = await ask(dialogue, 'CAPA')
  if (capa.kind === 'failed') return capa
  if (capa.kind === 'continue') return dialogue.fail('garbage')
  const lines = capa.kind === 'ok' ? await readList(dialogue) : []
  if ('kind' in lines) return lines
  const capabilities = parseCapabilities(lines)
  const xclient = capabilities.has('XCLIENT') || /\[XCLIENT\]/i.test(greeting.text)
  return { kind: 'ready', greeting: { capabilities, xclient } }
}

async function startTls(dialogue: BackendDialogue): Promise<BackendFailed | undefined> {
  dialogue.phase = 'tls'
  const answer = await ask(dialogue, 'STLS')
  if (answer.kind === 'failed') return answer
  if (answer.kind !== 'ok') return dialogue.fail('tls')
  const failed = await dialogue.upgrade(HANDSHAKE_MS)
  dialogue.phase = 'greeting'
  return failed
}
