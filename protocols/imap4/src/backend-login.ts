// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import type { Cancellation, FailureReason, MailboxLocation } from '@portico/base'
import type { Lease } from '@portico/pool'
import { MAX_HOPS } from '@portico/routing'
import {
  type BackendCredentials,
  BackendDialogue,
  type BackendFailed,
  type BackendLogin,
  backendCredentials,
  passwordMayCross,
  plainResponse,
  type Session,
} from '@portico/session'
import { BackendClient, type Completed } from './backend-client.js'
import { formatId } from './commands/id.js'
import type { ImapGreeting } from './driver.js'
import { quoted, responseCode } from './parse.js'
import { PASSED_CODES } from './replies.js'
import type { Imap4Settings } from './schema.js'

/** The backend's answer to the sign-in: what it said untagged, and the text of its OK with its capabilities. */
export interface BackendWelcome {
  readonly untagged: readonly string[]
  readonly text: string
}

export interface LoginRequest {
  readonly session: Session
  readonly settings: Imap4Settings
  readonly authenticated: Authenticated
  readonly lease: Lease
  readonly location: MailboxLocation
  readonly signal: Cancellation
}

type Credentials = Extract<BackendCredentials, { kind: 'credentials' }>
type Login = BackendLogin<BackendWelcome>

/** Signs the principal in on a prepared backend connection: ID, and AUTHENTICATE PLAIN or LOGIN. */
export async function loginAtBackend(request: LoginRequest): Promise<Login> {
  const { session, settings, authenticated, lease, location, signal } = request
  const { capabilities } = lease.greeting as ImapGreeting
  const dialogue = new BackendDialogue(lease.leg, lease.backend, 'identify', signal)
  const client = new BackendClient(dialogue, 'P')
  const credentials = backendCredentials(authenticated, location, lease.backend)
  if (credentials.kind === 'none') return cannot(request, credentials.why)
  if (!passwordMayCross(lease.leg, lease.backend)) return dialogue.fail('cleartext-forbidden')
  const command = loginCommand(credentials, capabilities)
  if (command === undefined) return cannot(request, 'the backend offers no way to sign in with these credentials')
  lease.markUsed()
  const facts = settings.forwardClientFacts && capabilities.has('ID') ? clientFacts(session) : undefined
  const answer = await signIn(client, dialogue, facts, command)
  if (answer.kind === 'failed') return answer
  if (answer.status !== 'OK') return refusal(answer, dialogue)
  const granted = settings.trustReauthentication ? answer : await withCapabilities(answer, client)
  if (granted.kind === 'failed') return granted
  // Silence is no permission.
  if (!settings.trustReauthentication && granted.capabilities?.has('UNAUTHENTICATE') !== false)
    return cannot(request, 'the backend offers UNAUTHENTICATE', 'protocol-disabled')
  return { kind: 'open', welcome: { untagged: answer.untagged, text: answer.rest || 'Signed in' } }
}

/**
 * ID goes out together with the sign-in and is answered before it (RFC 9051 section 5.5: neither is ambiguous behind the other):
 * to wait for its answer would cost every login a round trip.
 */
async function signIn(
  client: BackendClient,
  dialogue: BackendDialogue,
  facts: string | undefined,
  { line, continuations }: Command,
): Promise<Completed | BackendFailed> {
  let id: string | undefined
  let login = ''
  dialogue.leg.batch(() => {
    id = facts === undefined ? undefined : client.send(`ID ${facts}`)
    login = client.send(line)
  })
  if (id !== undefined) {
    const told = await client.answerTo(id)
    if (told.kind === 'failed') return told
  }
  dialogue.phase = 'login'
  return client.answerTo(login, continuations)
}

/** The configuration does not fit this backend: no other candidate would do better. */
function cannot({ session, lease }: LoginRequest, why: string, reason: FailureReason = 'backend-unavailable'): Login {
  session.services.log.error('cannot sign in at the backend', { session: session.id, backend: lease.backend.id, why })
  return { kind: 'refused', reason }
}

/** Who the client is, in the keys that Dovecot takes from trusted peers (values of at most 1024 octets, RFC 2971 section 3.3). */
export function clientFacts({ id, leg, hops }: Pick<Session, 'id' | 'leg' | 'hops'>): string {
  const { peer, local } = leg.facts
  const addresses: Record<string, string> =
    peer.family === 'unix' || local.family === 'unix'
      ? {}
      : {
          'x-originating-ip': peer.address,
          'x-originating-port': String(peer.port),
          'x-connected-ip': local.address,
          'x-connected-port': String(local.port),
        }
  return formatId({ ...addresses, 'x-session-id': id, 'x-proxy-ttl': String(Math.max(0, MAX_HOPS - hops - 1)) })
}

interface Command {
  readonly line: string
  readonly continuations: readonly string[]
}

/** AUTHENTICATE PLAIN where offered (RFC 4616, RFC 4959 section 3), else LOGIN, which cannot carry an authorization identity. */
export function loginCommand(credentials: Credentials, capabilities: ReadonlySet<string>): Command | undefined {
  if (capabilities.has('AUTH=PLAIN')) {
    const response = plainResponse(credentials)
    return capabilities.has('SASL-IR')
      ? { line: `AUTHENTICATE PLAIN ${response}`, continuations: [] }
      : { line: 'AUTHENTICATE PLAIN', continuations: [response] }
  }
  if (credentials.authzid !== undefined || capabilities.has('LOGINDISABLED')) return undefined
  const parts = ['LOGIN']
  for (const text of [credentials.authcid, credentials.password.expose()]) {
    const last = parts.pop() ?? ''
    const plain = quoted(text)
    const octets = Buffer.from(text, 'utf8')
    if (plain !== undefined) parts.push(`${last} ${plain}`)
    else parts.push(`${last} {${octets.length}}`, octets.toString('latin1'))
  }
  return { line: parts[0] ?? '', continuations: parts.slice(1) }
}

/** Why the backend would not have the user, by its response code (RFC 5530 section 3). */
const REFUSALS: ReadonlyMap<string, FailureReason> = new Map([
  ['AUTHENTICATIONFAILED', 'invalid-credentials'],
  ['AUTHORIZATIONFAILED', 'unauthorized-identity'],
  ['CONTACTADMIN', 'account-disabled'],
  ['EXPIRED', 'password-expired'],
  ['INUSE', 'backend-unavailable'],
  ['LIMIT', 'throttled'],
])
/** Codes that speak of the server and not of the user: another candidate may do better. */
const TROUBLE = new Set(['UNAVAILABLE', 'SERVERBUG', 'REFERRAL', 'PRIVACYREQUIRED'])

function refusal(answer: Completed, dialogue: BackendDialogue): Login | BackendFailed {
  const code = responseCode(answer.rest)
  // BAD is a quarrel about the protocol between the backend and us; it says nothing about a password.
  if (answer.status === 'BAD') return dialogue.fail('garbage')
  if (code !== undefined && TROUBLE.has(code)) return dialogue.fail('temporary')
  const reason = (code === undefined ? undefined : REFUSALS.get(code)) ?? 'invalid-credentials'
  return code !== undefined && PASSED_CODES.has(code)
    ? { kind: 'refused', reason, detail: code }
    : { kind: 'refused', reason }
}

/**
 * The relay is blind, so a session must not be able to change its user (RFC 8437): what the backend can do after sign-in is
 * asked for where it did not say.
 */
async function withCapabilities(answer: Completed, client: BackendClient): Promise<Completed | BackendFailed> {
  return answer.capabilities === undefined ? client.command('CAPABILITY') : answer
}
