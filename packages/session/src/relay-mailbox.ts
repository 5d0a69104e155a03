// SPDX-License-Identifier: MIT
import { type RelayEnd, relay } from '@portico/net'
import type { Lease } from '@portico/pool'
import { type Farewell, Leaving } from './leaving.js'
import type { Ended, Session } from './session.js'

/**
 * Joins the client with its open mailbox until either leaves, or this node does. Octets that either side sent early come first.
 * Without a `farewell` the protocol has no word for a node that leaves: the session lives to the end of the drain time. It ends
 * when neither says anything for `idleMs`. The connection belongs to its user for ever, so it is discarded afterwards.
 */
export async function relayMailbox(
  session: Session,
  lease: Lease,
  farewell?: Farewell,
  idleMs = session.services.limits.idle,
): Promise<Ended> {
  const { services, record, leg } = session
  const { wheel } = services
  const { halfClosed: halfClosedMs, linger: lingerMs } = services.limits
  record.begin()
  const joined = relay(leg, lease.leg, { idleMs, halfClosedMs, lingerMs }, wheel, farewell)
  using leaving = new Leaving(session, joined, farewell)
  const end = await joined.done
  record.finish('relay')
  lease.discard()
  return leaving.left ? 'draining' : endedBy(end)
}

function endedBy(end: RelayEnd): Ended {
  for (const { kind } of [end.client, end.backend]) if (kind === 'idle' || kind === 'deadline') return kind
  if (end.first === 'client') return 'client-closed'
  return end.first === 'backend' ? 'backend-closed' : 'relay-ended'
}
