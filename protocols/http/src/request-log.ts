// SPDX-License-Identifier: MIT
import type { Session } from '@portico/session'
import type { Incoming } from './client/incoming.js'
import type { Outcome } from './outcome.js'

/** The line of a request. `began` is when its head had come; `stream` is its number in HTTP/2. */
export function logRequest(
  session: Session,
  { head, path }: Incoming,
  outcome: Outcome,
  began: number,
  stream?: number,
): void {
  session.services.log.debug('request', {
    session: session.id,
    stream,
    method: head.method,
    path,
    status: statusOf(outcome),
    user: session.record.user,
    backend: session.record.backend,
    ms: Math.round(session.services.clock.now() - began),
  })
}

/** 0: nobody was there to be answered. */
function statusOf(outcome: Outcome): number {
  if (outcome.kind === 'gone') return 0
  return outcome.kind === 'reply' ? outcome.reply.status : outcome.status
}

/** The line of what is no request: a closed word says why. */
export function logRefused(session: Session, status: number, why: string): void {
  session.services.log.debug('request refused', { session: session.id, status, why })
}
