// SPDX-License-Identifier: MIT
import type { Leg, LegFacts } from '@portico/net'
import type { Session } from '@portico/session'

/** A session whose client may be another one than who is connected. */
export interface Represented {
  readonly leg: Leg
  readonly record: Session['record']
  networks: readonly string[]
  hops: number
}

/** {@link Session.speaksFor} of every kind of session. `ends`: who is connected. */
export function speakFor(
  session: Represented,
  client: Parameters<Session['speaksFor']>[0],
  ends: Pick<LegFacts, 'peer' | 'local'>,
  networksOf: (address: string) => readonly string[],
): void {
  if (client === undefined) session.hops = 0
  const { peer, local } = { ...ends, ...client }
  session.leg.setPeer(peer, local)
  session.networks = networksOf(peer.address)
  session.record.client = peer
  session.record.networks = session.networks
}
