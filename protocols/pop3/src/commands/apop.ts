// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto'
import { authContextOf, type Session } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { answerFailure, signIn } from '../sign-in.js'
import { malformed } from './arguments.js'

/** The timestamp for the greeting of a session that can sign in by APOP, unlike any other; undefined where it cannot. */
export function timestampFor(session: Session): string | undefined {
  const { authenticator, hostname } = session.services
  const timestamp = `<${randomBytes(18).toString('base64url')}@${hostname}>`
  return authenticator.mechanisms({ ...authContextOf(session, 0), timestamp }).includes('APOP') ? timestamp : undefined
}

/** APOP (RFC 1939 section 7): a name, and a digest over the greeting's timestamp and the password. */
export const apop: CommandHandler = async (context, { rest }) => {
  const { session, timestamp, failures } = context
  context.user = undefined
  if (timestamp === undefined) return answerFailure(context, 'mechanism-unavailable')
  if (rest === undefined) return malformed(context)
  session.record.begin()
  const auth = { ...authContextOf(session, failures), timestamp }
  await using attempt = session.services.authenticator.begin('APOP', auth, session.signal)
  const step = await attempt.step(Buffer.from(rest, 'latin1'))
  session.record.finish('authenticate')
  return signIn(context, step.kind === 'challenge' ? { kind: 'failed', reason: 'malformed', waitMs: 0 } : step)
}
