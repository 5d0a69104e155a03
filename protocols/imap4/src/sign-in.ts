// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import { failedBy, type Outcome, type SaslOutcome, signInToMailbox } from '@portico/session'
import { type BackendWelcome, loginAtBackend } from './backend-login.js'
import type { ImapContext } from './context.js'
import { ImapFarewell } from './farewell.js'
import { alertLine, failureLine, referralLine } from './replies.js'

/** From the outcome of LOGIN or AUTHENTICATE to the end of the relay, or to the refusal. */
export function signIn(context: ImapContext, tag: string, outcome: SaslOutcome): Promise<Outcome> {
  const { settings, clientId } = context
  return signInToMailbox<BackendWelcome>(context, outcome, {
    login: (request) => loginAtBackend({ ...request, settings, clientId }),
    // The backend's own words, under the client's tag; what it said untagged comes first.
    welcome: ({ untagged, text }) => [...untagged, `${tag} OK ${text}`].map((line) => `${line}\r\n`).join(''),
    failure: (reason, { detail, alert } = {}) => `${alertLine(alert)}${failureLine(tag, reason, detail)}`,
    elsewhere: (to, user) => referralLine(tag, to, user),
    farewell: () => new ImapFarewell(),
  })
}

/** Answers a failure, and says how it weighs on the session. */
export function answerFailure(context: ImapContext, tag: string, reason: FailureReason): Outcome {
  context.dialogue.write(failureLine(tag, reason))
  return failedBy(context, reason)
}
