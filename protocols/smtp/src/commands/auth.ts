// SPDX-License-Identifier: MIT
import type { Authenticated, AuthFailed } from '@portico/auth'
import type { FailureReason } from '@portico/base'
import { authContextOf, authenticateSasl, holdBack, type SaslWire, weightOf } from '@portico/session'
import { signInRefusal } from '../connector/access.js'
import type { Dialogue, Next } from '../dialogue.js'
import type { Command } from '../parse.js'
import { AUTH_FAILURES, REPLIES } from '../replies.js'
import { prepareSender } from '../transaction/way.js'

/** AUTH (RFC 4954). 235 is said only after everything that can be asked at this moment has been asked. */
export async function auth(dialogue: Dialogue, command: Extract<Command, { kind: 'auth' }>): Promise<Next> {
  const { session } = dialogue
  const refusal = signInRefusal(dialogue, command.mechanism)
  if (refusal !== undefined) return dialogue.mistake(refusal)
  if (dialogue.helo?.kind !== 'ehlo') return dialogue.mistake(REPLIES.helloFirst)
  if (dialogue.authenticated !== undefined) return dialogue.mistake(REPLIES.alreadyAuthenticated)
  if (dialogue.envelope !== undefined) return dialogue.mistake(REPLIES.badSequence)
  const context = authContextOf(session, dialogue.failures)
  const outcome = await authenticateSasl(session, command.mechanism, command.initial, wireOf(dialogue), context)
  if (outcome.kind === 'gone') return dialogue.client.ended
  if (outcome.kind === 'failed') return refused(dialogue, outcome)
  return admit(dialogue, outcome)
}

async function admit(dialogue: Dialogue, authenticated: Authenticated): Promise<Next> {
  const { session } = dialogue
  session.record.user = authenticated.principal.user
  session.record.mechanism = authenticated.principal.mechanism
  // They were told of somebody who had not signed in.
  dialogue.leaveBackends(() => true)
  const prepared = await prepareSender(dialogue, authenticated)
  if (prepared.kind === 'gone') return dialogue.client.ended
  if (prepared.kind === 'refused') return failure(dialogue, prepared.reason)
  dialogue.authenticated = authenticated
  dialogue.client.admitted()
  dialogue.reply(REPLIES.authenticated)
  return 'next'
}

async function refused(dialogue: Dialogue, outcome: AuthFailed): Promise<Next> {
  if (outcome.user !== undefined) dialogue.session.record.user = outcome.user
  await holdBack(dialogue.session, outcome.waitMs)
  return failure(dialogue, outcome.reason)
}

/** What may have been a guess counts, so that nobody guesses for ever on one connection (RFC 4954 section 9). */
function failure(dialogue: Dialogue, reason: FailureReason): Next {
  const weight = weightOf(reason)
  if (weight === 'bad-command') return dialogue.mistake(AUTH_FAILURES[reason])
  // The last line of the session says it.
  if (reason === 'draining') return 'draining'
  dialogue.reply(AUTH_FAILURES[reason])
  if (weight === 'nothing') return 'next'
  dialogue.failures += 1
  if (dialogue.failures < dialogue.session.services.limits.failures) return 'next'
  return dialogue.dismiss(REPLIES.tooManyFailures, 'too-many-failures')
}

/** Challenges are 334 replies, responses are bare lines. */
function wireOf(dialogue: Dialogue): SaslWire {
  const { client, session } = dialogue
  return {
    challenge(base64) {
      dialogue.reply({ code: 334, lines: [base64] })
      client.flush()
    },
    async response() {
      const line = await client.readLine(session.services.limits.authLine)
      // A bare LF is no line end here either: what it carries is no base64.
      return line.kind === 'line' && line.bareLf ? { ...line, text: `${line.text}\n` } : line
    },
  }
}
