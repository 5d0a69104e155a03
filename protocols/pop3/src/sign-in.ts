// SPDX-License-Identifier: MIT
import type { AuthFailed } from '@portico/auth'
import type { FailureReason } from '@portico/base'
import { holdBack, openMailbox, relayMailbox, type SaslOutcome } from '@portico/session'
import { loginAtBackend } from './backend-login.js'
import { BAD, DONE, type Outcome, type Pop3Context } from './context.js'
import { failureLine, weightOf } from './replies.js'

/** From the outcome of PASS or AUTH to the end of the relay, or to the refusal. The client is told +OK only after the backend said it. */
export async function signIn(context: Pop3Context, outcome: SaslOutcome): Promise<Outcome> {
  const { session, settings, dialogue } = context
  if (outcome.kind === 'gone') return { kind: 'ended', ended: dialogue.ended }
  if (outcome.kind === 'failed') return refuseSignIn(context, outcome)
  session.record.user = outcome.principal.user
  session.record.mechanism = outcome.principal.mechanism
  const opened = await openMailbox(session, outcome, (lease, location, signal) =>
    loginAtBackend({ session, settings, authenticated: outcome, lease, location, signal }),
  )
  switch (opened.kind) {
    case 'gone':
      return { kind: 'ended', ended: dialogue.ended }
    case 'refused':
      return answerFailure(context, opened.reason, opened.detail)
    case 'redirect':
      // POP3 has no word for "elsewhere".
      return answerFailure(context, 'no-mailbox')
    case 'open': {
      await using lease = opened.lease
      if (session.signal.aborted) return { kind: 'ended', ended: dialogue.ended }
      dialogue.signedIn()
      dialogue.write(`+OK ${opened.welcome.text}\r\n`)
      return { kind: 'ended', ended: await relayMailbox(session, lease) }
    }
  }
}

/** Answers a sign-in that failed here, as late as the throttle asked. */
export async function refuseSignIn(context: Pop3Context, failed: AuthFailed): Promise<Outcome> {
  const { session, dialogue } = context
  if (failed.user !== undefined) session.record.user = failed.user
  await holdBack(session, failed.waitMs)
  if (session.signal.aborted) return { kind: 'ended', ended: dialogue.ended }
  return answerFailure(context, failed.reason)
}

/** Answers a failure, and says how it weighs on the session. */
export function answerFailure(context: Pop3Context, reason: FailureReason, detail?: string): Outcome {
  context.dialogue.write(failureLine(reason, detail))
  const weight = weightOf(reason)
  if (weight === 'bad-command') return BAD
  if (weight === 'failure') context.failures += 1
  return context.failures >= context.session.services.limits.failures
    ? { kind: 'ended', ended: 'too-many-failures' }
    : DONE
}
