// SPDX-License-Identifier: MIT
import type { AuthContext, Authenticated, AuthOutcome } from '@portico/auth'
import type { Cancellation } from '@portico/base'
import type { Connection } from '../client/connection.js'
import type { Scheme } from '../directory/presets.js'
import type { Outcome } from '../outcome.js'
import { type Place, refused } from './refusals.js'

/** A sign-in by credentials that come with each request; a good one is remembered for a moment. */
export async function signInOnce(
  place: Place,
  scheme: Scheme,
  authorization: string,
  ask: (context: AuthContext, signal: Cancellation) => Promise<AuthOutcome>,
): Promise<Authenticated | Outcome> {
  const { connection } = place
  const { session, context, signedIn } = connection
  const again = signedIn.isKnown(authorization, context)
  session.record.begin()
  const outcome = await ask(again ? { ...context, again } : context, session.signal)
  session.record.finish('authenticate')
  if (session.signal.aborted) return { kind: 'gone' }
  if (outcome.kind === 'failed') return refused(place, scheme, outcome)
  signedIn.remember(authorization, context, outcome)
  return welcome(connection, outcome)
}

/** What a good sign-in changes. */
export function welcome(connection: Connection, outcome: Authenticated): Authenticated {
  connection.failures = 0
  return recorded(connection, outcome)
}

/** Says in the record whose request it is: another one's may have come before it, and each stream has a record of its own. */
export function recorded({ session: { record } }: Connection, outcome: Authenticated): Authenticated {
  record.user = outcome.principal.user
  record.mechanism = outcome.principal.mechanism
  return outcome
}
