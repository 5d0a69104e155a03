// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import {
  type BackendCredentials,
  BackendDialogue,
  type BackendFailed,
  type BackendLogin,
  backendCredentials,
  cannotSignIn,
  type MailboxLogin,
  passwordMayCross,
  plainResponse,
  remainingHops,
  type Session,
} from '@portico/session'
import { BackendClient, type Completed } from './backend-client.js'
import { formatId } from './commands/id.js'
import type { ImapGreeting } from './driver.js'
import { alertText, quoted, responseCode, withoutReferral } from './parse.js'
import { loginReferral } from './referral.js'
import { PASSED_CODES } from './replies.js'
import type { Imap4Settings } from './schema.js'

/** The backend's answer to the sign-in: what it said untagged, and the text of its OK with its capabilities. */
export interface BackendWelcome {
  readonly untagged: readonly string[]
  readonly text: string
}

export interface LoginRequest extends MailboxLogin {
  readonly settings: Imap4Settings
  /** What the client's own ID said of its program. */
  readonly clientId: ReadonlyMap<string, string>
}

type Credentials = Extract<BackendCredentials, { kind: 'credentials' }>
type Login = BackendLogin<BackendWelcome>

/** Signs the principal in on a prepared backend connection: ID, and AUTHENTICATE PLAIN or LOGIN. */
export async function loginAtBackend(request: LoginRequest): Promise<Login> {
  const { session, settings, clientId, authenticated, lease, location, signal } = request
  const { capabilities } = lease.greeting as ImapGreeting
  const dialogue = new BackendDialogue(lease.leg, lease.backend, 'identify', signal)
  const client = new BackendClient(dialogue, 'P')
  const credentials = backendCredentials(authenticated, location, lease.backend)
  if (credentials.kind === 'none') return cannotSignIn(request, credentials.why)
  if (!passwordMayCross(lease.leg, lease.backend)) return dialogue.fail('cleartext-forbidden')
  const command = loginCommand(credentials, capabilities)
  if (command === undefined) return cannotSignIn(request, 'the backend offers no way to sign in with these credentials')
  lease.markUsed()
  const facts = settings.forwardClientFacts && capabilities.has('ID') ? clientFacts(session, clientId) : undefined
  const answer = await signIn(client, dialogue, facts, command)
  if (answer.kind === 'failed') return answer
  if (answer.status !== 'OK') return referred(answer, request) ?? refusal(answer, dialogue)
  const granted = await withCapabilities(answer, client)
  if (granted.kind === 'failed') return granted
  // Silence is no permission.
  if (!settings.trustReauthentication && granted.capabilities?.has('UNAUTHENTICATE') !== false)
    return cannotSignIn(request, 'the backend offers UNAUTHENTICATE', 'protocol-disabled')
  const untagged = granted.untagged.map((line) => `* ${withoutReferral(line.slice(2))}`)
  return { kind: 'open', welcome: { untagged, text: withoutReferral(answer.rest) || 'Signed in' } }
}

/** Whom the backend sends to another server it must have recognised: it may not become somebody else on the way. */
function referred({ rest }: Completed, request: LoginRequest): Login | undefined {
  const { session, lease, location, authenticated } = request
  const referral = loginReferral(rest)
  if (referral === undefined) return undefined
  const { host, port, user } = referral
  const own = location.backendUser ?? authenticated.principal.user
  if (user === undefined || user.toLowerCase() === own.toLowerCase()) return { kind: 'referred', to: { host, port } }
  session.services.log.warn('redirection to another user', { session: session.id, backend: lease.backend.id })
  return undefined
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

/** A program's name and version are short; whatever fills a line would make the backend end the session. */
const MOST_OF_CLIENT_ID = 1024

/**
 * What a backend is told of the client by ID: who it is, in the keys that Dovecot takes from trusted peers, and then what it said of
 * its program (RFC 2971 section 3.3).
 */
export function clientFacts(
  session: Pick<Session, 'id' | 'leg' | 'hops'>,
  clientId: ReadonlyMap<string, string> = new Map(),
): string {
  const { peer, local } = session.leg.facts
  const addresses =
    peer.family === 'unix' || local.family === 'unix'
      ? []
      : ([
          ['x-originating-ip', peer.address],
          ['x-originating-port', String(peer.port)],
          ['x-connected-ip', local.address],
          ['x-connected-port', String(local.port)],
        ] as const)
  const own = [
    ['x-session-id', session.id],
    ['x-proxy-ttl', String(remainingHops(session))],
  ] as const
  let octets = 0
  const fitting = [...clientId].filter(([key, value]) => {
    octets += key.length + value.length
    return octets <= MOST_OF_CLIENT_ID
  })
  return formatId(new Map([...addresses, ...own, ...fitting]))
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
  const [alert] = [...answer.untagged.map((line) => line.slice(2)), answer.rest].flatMap((one) => alertText(one) ?? [])
  return {
    kind: 'refused',
    reason,
    ...(code !== undefined && PASSED_CODES.has(code) ? { detail: code } : {}),
    ...(alert === undefined ? {} : { alert }),
  }
}

/**
 * What the backend can do after sign-in, asked for where it did not say. The client must not go on believing what we said before, and
 * the relay is blind, so that a session must not be able to change its user (RFC 9051 section 6.1.1, RFC 8437).
 */
async function withCapabilities(answer: Completed, client: BackendClient): Promise<Completed | BackendFailed> {
  if (answer.capabilities !== undefined) return answer
  const asked = await client.command('CAPABILITY')
  return asked.kind === 'failed' ? asked : { ...asked, untagged: [...answer.untagged, ...asked.untagged] }
}
