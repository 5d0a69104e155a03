// SPDX-License-Identifier: MIT
import type { Backend, MailboxLocation } from '@portico/base'
import type { Referral } from '@portico/routing'
import type { Session } from './session.js'

/** A backend that is to be asked. */
export interface Candidate {
  readonly backend: Backend
  readonly location: MailboxLocation
}

/**
 * Where a redirection leads, if it may be followed and nobody has been there. What a lookup said of the one group does not hold
 * in another.
 */
export function follow(
  session: Session,
  from: Candidate,
  to: Pick<Referral, 'host' | 'port'>,
  asked: ReadonlySet<string>,
): Candidate | undefined {
  const { services, protocol, hops } = session
  const { group } = from.backend
  const decision = services.router.follow({ ...to, protocol, group, states: services.states(), hops })
  const known = decision.kind === 'proxy' ? decision.candidates[0] : undefined
  const backend = known === undefined || asked.has(known.id) ? undefined : known
  services.log.info(backend === undefined ? 'redirection not followed' : 'redirection followed', {
    session: session.id,
    backend: from.backend.id,
    ...(backend === undefined ? to : { to: backend.id }),
  })
  if (backend === undefined) return undefined
  const { source, backendUser } = from.location
  const user = backendUser === undefined ? {} : { backendUser }
  return { backend, location: backend.group === group ? from.location : { group: backend.group, source, ...user } }
}
