// SPDX-License-Identifier: MIT
import type { Mailbox } from '../address.js'
import type { Connector } from './connectors.js'
import { may } from './permissions.js'

/** Local parts in which mail servers that trust us may find another address: `user%far.example`, `far.example!user`. */
const ROUTED = /[%!@]/

/**
 * Whether a client may send to a recipient: to anybody where it may relay, else to the site's own domains (RFC 5321 section
 * 3.6.2), and to postmaster always.
 */
export function mayReceive(
  connector: Pick<Connector, 'permissions' | 'domains'>,
  signedIn: boolean,
  { local, domain }: Pick<Mailbox, 'local' | 'domain'>,
): boolean {
  if (may(connector, signedIn, 'relay')) return true
  if (ROUTED.test(local)) return false
  if (domain === '') return local.toLowerCase() === 'postmaster' && connector.domains.length > 0
  return connector.domains.includes(domain)
}
