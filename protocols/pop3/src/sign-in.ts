// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import { failedBy, type Outcome, type SaslOutcome, signInToMailbox } from '@portico/session'
import { type BackendWelcome, loginAtBackend } from './backend-login.js'
import type { Pop3Context } from './context.js'
import { failureLine } from './replies.js'

/** From the outcome of PASS, APOP or AUTH to the end of the relay, or to the refusal. */
export function signIn(context: Pop3Context, outcome: SaslOutcome): Promise<Outcome> {
  const { settings, wishes } = context
  return signInToMailbox<BackendWelcome>(context, outcome, {
    login: (request) => loginAtBackend({ ...request, settings, wishes }),
    welcome: ({ text }) => `+OK ${text}\r\n`,
    failure: (reason, { detail } = {}) => failureLine(reason, detail),
    // POP3 has no word for "elsewhere".
    elsewhere: () => undefined,
  })
}

/** Answers a failure, and says how it weighs on the session. */
export function answerFailure(context: Pop3Context, reason: FailureReason): Outcome {
  context.dialogue.write(failureLine(reason))
  return failedBy(context, reason)
}
