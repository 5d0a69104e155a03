// SPDX-License-Identifier: MIT
import type { AuthFailed } from '@portico/auth'
import type { FailureReason } from '@portico/base'
import { authContextOf, holdBack } from './auth-context.js'
import type { BackendLogin, BackendRefused, MailboxLogin } from './backend-login.js'
import type { Farewell } from './leaving.js'
import { DONE, failedBy, gone, type Outcome, type PreAuth } from './outcome.js'
import { relayMailbox } from './relay-mailbox.js'
import type { SaslOutcome } from './sasl-dialogue.js'
import { openMailbox } from './walk.js'

/** How one mailbox protocol signs in at a backend, and what it then says to the client. Texts hold one octet per character. */
export interface SignInWords<W> {
  /** Signs the principal in on a prepared backend connection. */
  login(request: MailboxLogin): Promise<BackendLogin<W>>
  /** The backend's own words of welcome, whole lines. */
  welcome(welcome: W): string
  /** The reply to a failure, and to a refusal of the backend. */
  failure(reason: FailureReason, refused?: Pick<BackendRefused, 'detail' | 'alert'>): string
  /** The reply that sends a user to another place; undefined where the protocol has no word for it. */
  elsewhere(to: string, user: string): string | undefined
  /** Looks on at the session that begins now, for a word when the node leaves; without one there is none after sign-in. */
  farewell?(): Farewell
}

/** One login whose name and password were shown by the protocol's own commands. */
export async function showPassword(
  context: PreAuth,
  shown: { readonly user: string; readonly password: string },
): Promise<SaslOutcome> {
  const { session, failures } = context
  session.record.begin()
  const outcome = await session.services.authenticator.login(shown, authContextOf(session, failures), session.signal)
  session.record.finish('authenticate')
  return outcome
}

/** From the outcome of a sign-in to the end of the relay, or to the refusal. The client is told OK only after the backend said it. */
export async function signInToMailbox<W>(
  context: PreAuth,
  outcome: SaslOutcome,
  words: SignInWords<W>,
): Promise<Outcome> {
  const { session, dialogue } = context
  if (outcome.kind === 'gone') return gone(context)
  if (outcome.kind === 'failed') return refuse(context, outcome, words)
  const { principal } = outcome
  session.record.user = principal.user
  session.record.mechanism = principal.mechanism
  const opened = await openMailbox(session, outcome, (lease, location, signal) =>
    words.login({ session, authenticated: outcome, lease, location, signal }),
  )
  switch (opened.kind) {
    case 'gone':
      return gone(context)
    case 'refused':
      // The last line of the session says it.
      if (opened.reason === 'draining') return { kind: 'ended', ended: 'draining' }
      dialogue.write(words.failure(opened.reason, opened))
      return failedBy(context, opened.reason)
    case 'redirect': {
      const reply = words.elsewhere(opened.to, principal.user)
      dialogue.write(reply ?? words.failure('no-mailbox'))
      return reply === undefined ? failedBy(context, 'no-mailbox') : DONE
    }
    case 'open': {
      await using lease = opened.lease
      if (session.signal.aborted) return gone(context)
      dialogue.signedIn()
      dialogue.write(words.welcome(opened.welcome))
      return { kind: 'ended', ended: await relayMailbox(session, lease, words.farewell?.()) }
    }
  }
}

/** Answers a sign-in that failed here, as late as the throttle asked. */
async function refuse<W>(context: PreAuth, failed: AuthFailed, words: SignInWords<W>): Promise<Outcome> {
  const { session, dialogue } = context
  if (failed.user !== undefined) session.record.user = failed.user
  await holdBack(session, failed.waitMs)
  if (session.signal.aborted) return gone(context)
  dialogue.write(words.failure(failed.reason))
  return failedBy(context, failed.reason)
}
