// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { clientKey } from '@portico/net'
import type { Services } from '@portico/session'
import type { Dialogue } from '../dialogue.js'
import type { Connector } from './connectors.js'

const SECOND = 1_000

/**
 * Counts one message of a client; false when it has sent too many. It is counted before anybody is asked about a recipient: one
 * step asks and counts, so that sessions side by side cannot pass together, and what is refused later was work all the same. All
 * workers and nodes that share a store count together; each for itself while the store is away.
 */
export async function mayCount(
  { name, rate }: Pick<Connector, 'name' | 'rate'>,
  who: { readonly address: string; readonly user: string | undefined },
  state: Services['state'],
  signal: Cancellation,
): Promise<boolean> {
  if (rate === undefined) return true
  const limits = { capacity: rate.messages, refillPerSecond: (rate.messages * SECOND) / rate.per }
  const taken = await state.take(`smtp rate ${name} ${counted(rate.by, who)}`, 1, limits, signal)
  return taken.allowed
}

function counted(
  by: NonNullable<Connector['rate']>['by'],
  { address, user }: { readonly address: string; readonly user: string | undefined },
): string {
  if (by === 'all') return 'all'
  return by === 'user' && user !== undefined ? `user ${user}` : `address ${address}`
}

/** The same for the client of a dialogue; who is put off is in the log. */
export async function mayCountMessage({ connector, session, authenticated }: Dialogue): Promise<boolean> {
  const { services, signal, leg } = session
  const user = authenticated?.principal.user
  const counts = await mayCount(connector, { address: clientKey(leg.facts.peer), user }, services.state, signal)
  if (!counts)
    services.log.info('too many messages', {
      session: session.id,
      client: leg.facts.peer.address,
      connector: connector.name,
      user,
    })
  return counts
}
