// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import type { ClientDialogue } from './client-dialogue.js'
import type { Ended, Session } from './session.js'

/** What a session before sign-in has at hand, whatever its protocol. */
export interface PreAuth {
  readonly session: Session
  readonly dialogue: ClientDialogue
  /** Failed sign-ins so far. */
  failures: number
}

/** What a command came to. `bad`: it was no use, which is tolerated a few times only. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'bad' }
  | { readonly kind: 'ended'; readonly ended: Ended }

export const DONE: Outcome = { kind: 'done' }
export const BAD: Outcome = { kind: 'bad' }

/** The client is gone, or was let go. */
export function gone({ dialogue }: PreAuth): Outcome {
  return { kind: 'ended', ended: dialogue.ended }
}

/** Whether a failed sign-in brings the session nearer to its end as a failure, as an error of syntax, or not at all. */
export function weightOf(reason: FailureReason): 'failure' | 'bad-command' | 'nothing' {
  switch (reason) {
    case 'malformed':
    case 'aborted':
    case 'too-long':
    case 'not-authenticated':
    case 'mechanism-unavailable':
      return 'bad-command'
    case 'lookup-unavailable':
    case 'backend-unavailable':
    case 'draining':
    case 'server-bug':
      return 'nothing'
    default:
      return 'failure'
  }
}

/** What follows from a failure that the client has been told. */
export function failedBy(context: PreAuth, reason: FailureReason): Outcome {
  const weight = weightOf(reason)
  if (weight === 'bad-command') return BAD
  if (weight === 'failure') context.failures += 1
  return context.failures >= context.session.services.limits.failures
    ? { kind: 'ended', ended: 'too-many-failures' }
    : DONE
}
