// SPDX-License-Identifier: MIT
import type { Backend, Cancellation } from '@portico/base'
import type { Leg } from '@portico/net'
import type { BackendDriver, Prepared } from '@portico/pool'
import { BackendDialogue, type BackendFailed } from '@portico/session'
import { BackendClient } from './backend-client.js'
import { capabilityCode, parseResponse } from './parse.js'

/** What is known of a backend connection before anybody signs in on it. */
export interface ImapGreeting {
  /** Upper case. */
  readonly capabilities: ReadonlySet<string>
}

/** The backend's TLS handshake takes no longer; the pool's deadline for the whole connection holds besides. */
const HANDSHAKE_MS = 10_000

/** How IMAP4 backend connections are prepared. No command takes an identity back safely, so none is lent twice. */
export function imap4Driver(): BackendDriver<ImapGreeting> {
  return { protocol: 'imap4', reuse: 'never', warm: true, prepare }
}

async function prepare(leg: Leg, backend: Backend, signal: Cancellation): Promise<Prepared<ImapGreeting>> {
  const dialogue = new BackendDialogue(leg, backend, 'greeting', signal)
  const client = new BackendClient(dialogue, 'G')
  const greeted = await readGreeting(dialogue)
  if (greeted.kind === 'failed') return greeted
  let capabilities = greeted.capabilities
  if (backend.tls.mode === 'starttls' && leg.tls === undefined) {
    const failed = await startTls(dialogue, client)
    if (failed !== undefined) return failed
    // What was said in the clear is forgotten (RFC 9051 section 6.2.1).
    capabilities = undefined
  }
  if (capabilities === undefined) {
    const asked = await client.command('CAPABILITY')
    if (asked.kind === 'failed') return asked
    if (asked.status !== 'OK' || asked.capabilities === undefined) return dialogue.fail('garbage')
    capabilities = asked.capabilities
  }
  return { kind: 'ready', greeting: { capabilities } }
}

type Greeted = { readonly kind: 'greeted'; readonly capabilities: ReadonlySet<string> | undefined } | BackendFailed

/** `* OK` only: `* PREAUTH` would be a session of somebody whom we do not know (RFC 9051 section 7.1.4). */
async function readGreeting(dialogue: BackendDialogue): Promise<Greeted> {
  const line = await dialogue.line()
  if (line.kind === 'failed') return line
  const response = parseResponse(line.text, '')
  if (response.kind !== 'untagged') return dialogue.fail('garbage')
  if (response.name === 'BYE') return dialogue.fail('temporary')
  if (response.name !== 'OK') return dialogue.fail('garbage')
  return { kind: 'greeted', capabilities: capabilityCode(response.rest) }
}

async function startTls(dialogue: BackendDialogue, client: BackendClient): Promise<BackendFailed | undefined> {
  dialogue.phase = 'tls'
  const answer = await client.command('STARTTLS')
  if (answer.kind === 'failed') return answer
  if (answer.status !== 'OK') return dialogue.fail('tls')
  const failed = await dialogue.upgrade(HANDSHAKE_MS)
  dialogue.phase = 'greeting'
  return failed
}
