// SPDX-License-Identifier: MIT

import type { Authenticated } from '@portico/auth'
import { BackendError, type BackendErrorCode, type Cancellation, type MailboxLocation } from '@portico/base'
import { type Conversation, converse } from '@portico/net'
import type { Lease } from '@portico/pool'
import {
  type BackendCredentials,
  type BackendLogin,
  backendCredentials,
  passwordMayCross,
  plainResponse,
} from '@portico/session'
import { type Answer, isReply, readReply, troubleOf } from './answer.js'
import type { ClientFacts } from './client-facts.js'
import { type Extensions, type SmtpGreeting, sayHello } from './greeting.js'
import { type Identification, type Identity, identification } from './identify.js'
import { BackendSession } from './session.js'

/** Who is to be asserted at the backend. */
export interface LoginRequest {
  readonly location: MailboxLocation
  /** Undefined for an inbound sender: nobody to log in, only an address to pass on. */
  readonly authenticated: Authenticated | undefined
  readonly client: ClientFacts
}

type Login = BackendLogin<BackendSession>
type Credentials = Extract<BackendCredentials, { kind: 'credentials' }>

/** Longest AUTH command sent with an initial response (RFC 4954 section 4). */
const INITIAL_LINE = 510

/**
 * Tells a backend who the client is, XCLIENT first because it restarts the session, then AUTH as the backend's identity rule
 * says. Succeeds only on the backend's word.
 */
export async function loginAtBackend(lease: Lease, request: LoginRequest, signal: Cancellation): Promise<Login> {
  const { authenticated, client, location } = request
  const { kind } = lease.backend.identity
  if (authenticated?.deferred === true && kind !== 'password')
    return trouble(lease, 'login', 'a deferred login can only show its own password')
  const asserted = kind === 'xclient' ? authenticated?.principal.user : undefined
  const login = asserted === undefined ? undefined : (location.backendUser ?? asserted)
  const greeting = lease.greeting as SmtpGreeting
  const conversation = converse(lease.leg)
  const identity = { client, login, signedIn: authenticated !== undefined }
  const identified = await identify(lease, conversation, identity, signal)
  if (identified.kind !== 'offers') return identified
  const { extensions, preamble } = identified
  const withheld = greeting.ipv6 === false && client.peer.family === 6
  const open: Login = {
    kind: 'open',
    welcome: new BackendSession(lease, conversation, { extensions, preamble, withheld }),
  }
  // A connection that was lying ready may have ended: where nothing is asked here, MAIL finds that out.
  if (authenticated === undefined || kind === 'xclient' || kind === 'none') return open
  const credentials = backendCredentials(authenticated, location, lease.backend)
  if (credentials.kind === 'none') return trouble(lease, 'login', credentials.why)
  return (await authenticate(lease, conversation, extensions, credentials, signal)) ?? open
}

type Identified =
  | Extract<Login, { kind: 'failed' }>
  | { readonly kind: 'offers'; readonly extensions: Extensions; readonly preamble: readonly string[] }

/**
 * Tells who the client is. A backend without IPv6 refuses the address as no address at all (501): it is then told that nobody knows
 * it, for the client's mail would be put off for ever.
 */
async function identify(
  lease: Lease,
  conversation: Conversation,
  identity: Identity,
  signal: Cancellation,
): Promise<Identified> {
  const greeting = lease.greeting as SmtpGreeting
  const plan = identification(greeting, identity)
  if (plan.kind === 'impossible') return trouble(lease, 'identify', plan.why)
  const asksFirst = plan.ipv6 && greeting.ipv6 === undefined
  const refusal = await tell(lease, conversation, plan, asksFirst, signal)
  if (refusal === undefined) {
    if (asksFirst) greeting.ipv6 = true
    return { kind: 'offers', extensions: greeting.extensions, preamble: plan.xforward }
  }
  if (!asksFirst || !isReply(refusal, 501)) return unidentified(lease, refusal)
  greeting.ipv6 = false
  return identify(lease, conversation, identity, signal)
}

/**
 * XCLIENT as planned; with `asksFirst` XFORWARD, too, which else goes out together with MAIL. Undefined: nothing was refused, and
 * the greeting tells what the backend offers now.
 */
async function tell(
  lease: Lease,
  conversation: Conversation,
  plan: Extract<Identification, { kind: 'possible' }>,
  asksFirst: boolean,
  signal: Cancellation,
): Promise<Answer | undefined> {
  const greeting = lease.greeting as SmtpGreeting
  const ask = (command: string) => {
    lease.markUsed()
    lease.leg.writeText(`${command}\r\n`)
    return readReply(conversation, signal)
  }
  for (const name of plan.sets) greeting.xclient.add(name)
  for (const command of plan.xclient) {
    const answer = await ask(command)
    if (!isReply(answer, 220)) return answer
  }
  if (plan.xclient.length > 0) {
    const hello = await sayHello(conversation, greeting.dialect, plan.helo, signal)
    if (hello.kind === 'none') return hello.answer
    greeting.extensions = hello.extensions
  }
  for (const command of asksFirst ? plan.xforward : []) {
    const answer = await ask(command)
    if (!isReply(answer, 250)) return answer
  }
  return undefined
}

/** A connection that has served somebody and trusts us no more is of no use, as if it had been closed: a new one may be. */
function unidentified(lease: Lease, answer: Answer): Extract<Login, { kind: 'failed' }> {
  const trouble = troubleOf(answer, lease.backend.id, 'identify')
  if (!lease.reused) return { kind: 'failed', error: trouble }
  const { backend, phase, cause } = trouble
  return { kind: 'failed', error: new BackendError({ code: 'closed', backend, phase, cause }) }
}

/** Undefined: the backend said 235. */
async function authenticate(
  lease: Lease,
  conversation: Conversation,
  extensions: Extensions,
  credentials: Credentials,
  signal: Cancellation,
): Promise<Login | undefined> {
  if (!passwordMayCross(lease.leg, lease.backend)) return trouble(lease, 'login', 'unencrypted', 'cleartext-forbidden')
  const offered = extensions.get('AUTH')?.split(/ +/) ?? []
  const plain = offered.includes('PLAIN')
  if (!plain && (credentials.authzid !== undefined || !offered.includes('LOGIN')))
    return trouble(lease, 'login', 'no AUTH mechanism in common')
  lease.markUsed()
  ;(lease.greeting as SmtpGreeting).authenticated = true
  const answer = await exchange(conversation, plain ? plainLines(credentials) : loginLines(credentials), signal)
  if (answer.kind === 'lost') return { kind: 'failed', error: troubleOf(answer, lease.backend.id, 'login') }
  if (answer.reply.code === 235) return undefined
  if (answer.reply.code === 535) return { kind: 'refused', reason: 'invalid-credentials' }
  if (answer.reply.code === 525) return { kind: 'refused', reason: 'account-disabled' }
  return { kind: 'failed', error: troubleOf(answer, lease.backend.id, 'login') }
}

/** Sends the lines one after the other, each after the 334 to the former. */
async function exchange(conversation: Conversation, lines: readonly string[], signal: Cancellation) {
  const [first = '', ...more] = lines
  conversation.leg.writeText(`${first}\r\n`)
  let answer = await readReply(conversation, signal)
  for (const line of more) {
    if (answer.kind === 'lost' || answer.reply.code !== 334) return answer
    conversation.leg.writeText(`${line}\r\n`)
    answer = await readReply(conversation, signal)
  }
  return answer
}

/** SASL PLAIN (RFC 4616); its initial response goes along where the line stays short enough. */
function plainLines(credentials: Credentials): readonly string[] {
  const response = plainResponse(credentials)
  const whole = `AUTH PLAIN ${response}`
  return whole.length <= INITIAL_LINE ? [whole] : ['AUTH PLAIN', response]
}

/** The LOGIN mechanism, for servers that have nothing else. */
function loginLines({ authcid, password }: Credentials): readonly string[] {
  return ['AUTH LOGIN', base64(authcid), base64(password.expose())]
}

function trouble(
  lease: Lease,
  phase: 'identify' | 'login',
  cause: string,
  code: BackendErrorCode = 'other',
): Extract<Login, { kind: 'failed' }> {
  return { kind: 'failed', error: new BackendError({ code, backend: lease.backend.id, phase, cause }) }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}
