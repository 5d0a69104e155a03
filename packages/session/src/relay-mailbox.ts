// SPDX-License-Identifier: MIT
import { type RelayEnd, relay } from '@portico/net'
import type { Lease } from '@portico/pool'
import type { Ended, Session } from './session.js'

/**
 * Joins the client with its open mailbox until either leaves. Octets that either side sent early come first. The connection
 * belongs to its user for ever, so it is discarded afterwards.
 */
export async function relayMailbox(session: Session, lease: Lease): Promise<Ended> {
  const { services, record, leg } = session
  const { limits, wheel } = services
  record.begin()
  const end = await relay(leg, lease.leg, { idleMs: limits.idle, halfClosedMs: limits.halfClosed }, wheel).done
  record.finish('relay')
  record.bytesIn = end.bytesToBackend
  record.bytesOut = end.bytesToClient
  lease.discard()
  return endedBy(end)
}

function endedBy(end: RelayEnd): Ended {
  for (const { kind } of [end.client, end.backend]) if (kind === 'idle' || kind === 'deadline') return kind
  if (end.first === 'client') return 'client-closed'
  return end.first === 'backend' ? 'backend-closed' : 'relay-ended'
}
