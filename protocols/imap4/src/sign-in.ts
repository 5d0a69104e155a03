// SPDX-License-Identifier: MIT
import type { AuthFailed } from '@portico/auth'
import type { FailureReason } from '@portico/base'
import { holdBack, openMailbox, relayMailbox, type SaslOutcome } from '@portico/session'
import { type BackendWelcome, loginAtBackend } from './backend-login.js'
import { BAD, DONE, type ImapContext, type Outcome } from './context.js'
import { failureLine, weightOf } from './replies.js'

/** From the outcome of LOGIN or AUTHENTICATE to the end of the relay, or to the refusal. The client is told OK only after the backend said it. */
export async function signIn(context: ImapContext, tag: string, outcome: SaslOutcome): Promise<Outcome> {
  const { session, settings, dialogue } = context
  if (outcome.kind === 'gone') return { kind: 'ended', ended: dialogue.ended }
  if (outcome.kind === 'failed') return refuseSignIn(context, tag, outcome)
  session.record.user = outcome.principal.user
  session.record.mechanism = outcome.principal.mechanism
  const opened = await openMailbox(session, outcome, (lease, location, signal) =>
    loginAtBackend({ session, settings, authenticated: outcome, lease, location, signal }),
  )
  switch (opened.kind) {
    case 'gone':
      return { kind: 'ended', ended: dialogue.ended }
    case 'refused':
      return answerFailure(context, tag, opened.reason, opened.detail)
    case 'redirect':
      dialogue.write(`${tag} NO [REFERRAL imap://${encodeURI(opened.to)}/] Your mailbox is elsewhere\r\n`)
      return DONE
    case 'open': {
      await using lease = opened.lease
      if (session.signal.aborted) return { kind: 'ended', ended: dialogue.ended }
      dialogue.signedIn()
      welcome(context, tag, opened.welcome)
      return { kind: 'ended', ended: await relayMailbox(session, lease) }
    }
  }
}

/** Answers a sign-in that failed here, as late as the throttle asked. */
export async function refuseSignIn(context: ImapContext, tag: string, failed: AuthFailed): Promise<Outcome> {
  const { session, dialogue } = context
  if (failed.user !== undefined) session.record.user = failed.user
  await holdBack(session, failed.waitMs)
  if (session.signal.aborted) return { kind: 'ended', ended: dialogue.ended }
  return answerFailure(context, tag, failed.reason)
}

/** Answers a failure, and says how it weighs on the session. */
export function answerFailure(context: ImapContext, tag: string, reason: FailureReason, detail?: string): Outcome {
  context.dialogue.write(failureLine(tag, reason, detail))
  const weight = weightOf(reason)
  if (weight === 'bad-command') return BAD
  if (weight === 'failure') context.failures += 1
  return context.failures >= context.session.services.limits.failures
    ? { kind: 'ended', ended: 'too-many-failures' }
    : DONE
}

/** The backend's own words, under the client's tag; what it said untagged comes first. */
function welcome(context: ImapContext, tag: string, { untagged, text }: BackendWelcome): void {
  context.session.leg.batch(() => {
    for (const line of untagged) context.dialogue.write(`${line}\r\n`)
    context.dialogue.write(`${tag} OK ${text}\r\n`)
  })
}
