// SPDX-License-Identifier: MIT
import type { AuthFailed } from '@portico/auth'
import { holdBack, weightOf } from '@portico/session'
import type { Connection } from '../client/connection.js'
import type { Scheme } from '../directory/presets.js'
import type { Directory } from '../directory/schema.js'
import { type Outcome, reply } from '../outcome.js'
import { type ChallengeReason, failureReply, isChallenge, type Reply, statusReply } from '../replies.js'
import { challenges, tokenError } from './challenges.js'
import { openSchemes, wantsOwnLeg } from './schemes.js'

/** Where somebody signs in. */
export interface Place {
  readonly connection: Connection
  readonly directory: Directory
  /** How clients of this network may sign in to the directory, as its configuration says. */
  readonly listed: readonly Scheme[]
}

/** Asks for a sign-in, by every scheme that can succeed here; over HTTP/2 by those of HTTP/1.1 where it has more. */
export function challenged(place: Place, reason: ChallengeReason): Outcome {
  const { connection, listed } = place
  const outcome = reply(challengeReply(place, reason))
  return wantsOwnLeg(connection, listed) ? { ...outcome, needsOwnLeg: true } : outcome
}

/** The challenges. 401 has a challenge (RFC 9110 section 15.5.2): where there is none it is 403. */
export function challengeReply({ connection, directory, listed }: Place, reason: ChallengeReason, error = ''): Reply {
  const realm = directory.realm ?? connection.prepared.settings.realm
  const lines = challenges(openSchemes(connection, listed), realm, error)
  return lines === '' ? statusReply(403) : failureReply(reason, { fields: lines })
}

/** Credentials that cannot be read. */
export function malformed(): Outcome {
  return reply(failureReply('malformed'))
}

/** Each refusal by rule is a line in the log: who goes on asking has to come again for it. A proxy speaks for others too. */
export function refusedByRule({ connection }: Place): Outcome {
  return reply(failureReply('network-refused'), connection.session.isProxy)
}

/**
 * A sign-in by this scheme has failed: it is counted and held back, and then told. Over HTTP/2 it is told there: in HTTP/1.1 the same
 * credentials would be refused again.
 */
export async function refused(place: Place, scheme: Scheme, outcome: AuthFailed): Promise<Outcome> {
  const { connection } = place
  const { session } = connection
  const { reason, waitMs } = outcome
  connection.signedIn.forget()
  if (weightOf(reason) === 'failure') connection.failures += 1
  session.record.user ??= outcome.user
  // A throttled client is told when to come again; others are held back.
  if (reason !== 'throttled') await holdBack(session, waitMs)
  const mayGoOn = connection.failures < session.services.limits.failures
  const told = isChallenge(reason)
    ? challengeReply(place, reason, scheme === 'bearer' ? tokenError(reason) : '')
    : withoutChallenge(place, scheme, outcome)
  return reply(told, mayGoOn)
}

function withoutChallenge({ connection, directory }: Place, scheme: Scheme, { reason, waitMs }: AuthFailed): Reply {
  // What is too long here is a field, not a body.
  if (reason === 'too-long') return statusReply(431)
  const error = scheme === 'bearer' ? tokenError(reason) : ''
  const realm = directory.realm ?? connection.prepared.settings.realm
  return failureReply(reason, { fields: error === '' ? '' : challenges(['bearer'], realm, error), waitMs })
}
