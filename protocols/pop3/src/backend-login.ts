// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import {
  type BackendCredentials,
  BackendDialogue,
  type BackendLogin,
  backendCredentials,
  cannotSignIn,
  type MailboxLogin,
  passwordMayCross,
  plainResponse,
  remainingHops,
  type Session,
} from '@portico/session'
import { type Answer, ask } from './backend-client.js'
import type { Wishes } from './context.js'
import type { Pop3Greeting } from './driver.js'
import { PASSED_CODES } from './replies.js'
import type { Pop3Settings } from './schema.js'

/** The text of the backend's +OK. */
export interface BackendWelcome {
  readonly text: string
}

export interface LoginRequest extends MailboxLogin {
  readonly settings: Pop3Settings
  readonly wishes: Wishes
}

type Credentials = Extract<BackendCredentials, { kind: 'credentials' }>
type Login = BackendLogin<BackendWelcome>

/** Signs the principal in on a prepared backend connection: XCLIENT, UTF8 and LANG, then AUTH PLAIN or USER and PASS. */
export async function loginAtBackend(request: LoginRequest): Promise<Login> {
  const { session, settings, authenticated, lease, location, signal } = request
  const greeting = lease.greeting as Pop3Greeting
  const dialogue = new BackendDialogue(lease.leg, lease.backend, 'identify', signal)
  const credentials = backendCredentials(authenticated, location, lease.backend)
  if (credentials.kind === 'none') return cannotSignIn(request, credentials.why)
  if (!passwordMayCross(lease.leg, lease.backend)) return dialogue.fail('cleartext-forbidden')
  lease.markUsed()
  if (settings.forwardClientFacts && greeting.xclient) {
    const told = await ask(dialogue, `XCLIENT ${clientFacts(session)}`)
    if (told.kind === 'failed') return told
  }
  const granted = await askForWishes(dialogue, request.wishes)
  if (granted.kind === 'failed') return granted
  if (granted.kind === 'error' && lease.kept && (await isOver(dialogue))) return dialogue.fail('closed')
  if (granted.kind !== 'ok')
    return cannotSignIn(request, 'the client was promised UTF8, and the backend would not have it')
  dialogue.phase = 'login'
  const steps = loginSteps(credentials, greeting.capabilities)
  if (steps === undefined) return cannotSignIn(request, 'the backend offers no way to sign in with these credentials')
  const answer = await take(dialogue, steps)
  switch (answer.kind) {
    case 'failed':
      return answer
    case 'continue':
      return dialogue.fail('garbage')
    case 'ok':
      return { kind: 'open', welcome: { text: answer.text || 'Signed in' } }
    case 'error':
      if (lease.kept && answer.code === undefined && (await isOver(dialogue))) return dialogue.fail('closed')
      return refusal(answer.code, dialogue)
  }
}

/**
 * On a connection that had been lying ready, an -ERR without a reason may be the server's goodbye for having waited, sent before
 * it saw the sign-in. One that still answers QUIT has meant the sign-in.
 */
async function isOver(dialogue: BackendDialogue): Promise<boolean> {
  return (await ask(dialogue, 'QUIT')).kind === 'failed'
}

/** Who the client is, as Dovecot takes it from trusted peers. */
export function clientFacts(session: Pick<Session, 'id' | 'leg' | 'hops'>): string {
  const { peer } = session.leg.facts
  const address = peer.family === 'unix' ? [] : [`ADDR=${peer.address}`, `PORT=${peer.port}`]
  return [...address, `SESSION=${session.id}`, `TTL=${remainingHops(session)}`].join(' ')
}

/** The modes that the client has chosen (RFC 6856). A language that the backend does not speak is no reason to turn anybody away. */
async function askForWishes(dialogue: BackendDialogue, { utf8, language }: Wishes): Promise<Answer> {
  if (language !== undefined) {
    const told = await ask(dialogue, `LANG ${language}`)
    if (told.kind === 'failed') return told
  }
  return utf8 ? ask(dialogue, 'UTF8') : { kind: 'ok', text: '' }
}

/** A longer AUTH command may not carry an initial response (RFC 5034 section 4, RFC 2449 section 4). */
const LONGEST_COMMAND = 255

/**
 * The commands of the sign-in, each sent when the one before was answered well: AUTH PLAIN where offered (RFC 5034 section 4),
 * else USER and PASS, which cannot carry an authorization identity or a line break.
 */
export function loginSteps(
  credentials: Credentials,
  capabilities: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  if (capabilities.get('SASL')?.includes('PLAIN') === true) {
    const response = plainResponse(credentials)
    const command = `AUTH PLAIN ${response}`
    return command.length + 2 <= LONGEST_COMMAND ? [command] : ['AUTH PLAIN', response]
  }
  const [user, password] = [credentials.authcid, credentials.password.expose()].map((text) =>
    Buffer.from(text, 'utf8').toString('latin1'),
  )
  if (credentials.authzid !== undefined || /[\r\n\0]/.test(`${user}${password}`)) return undefined
  return [`USER ${user}`, `PASS ${password}`]
}

async function take(dialogue: BackendDialogue, steps: readonly string[]): Promise<Answer> {
  let answer: Answer = { kind: 'continue' }
  for (const [index, step] of steps.entries()) {
    answer = await ask(dialogue, step)
    const last = index === steps.length - 1
    // Some servers answer AUTH with +OK where `+ ` is due: nothing was proved yet, so it can only mean the same.
    if (!last && answer.kind !== 'ok' && answer.kind !== 'continue') return answer
  }
  return answer
}

/** Why the backend would not have the user, by its response code (RFC 2449 section 8.1, RFC 3206 section 4). */
function refusal(code: string | undefined, dialogue: BackendDialogue): Login {
  if (code === 'SYS/TEMP') return dialogue.fail('temporary')
  if (code !== undefined && PASSED_CODES.has(code))
    return { kind: 'refused', reason: 'backend-unavailable', detail: code }
  const reason: FailureReason = code === 'SYS/PERM' ? 'no-mailbox' : 'invalid-credentials'
  return { kind: 'refused', reason }
}
