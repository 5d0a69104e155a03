// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import type { BackendDriver } from './backend-pool.js'
import type { Connection } from './connection.js'

/** Says whether a connection may be lent to somebody else. `used`: octets of a user have gone over it in this loan. */
export type LeaseRule = (
  driver: BackendDriver,
  connection: Connection,
  used: boolean,
  limitMs: number,
) => boolean | Promise<boolean>

/**
 * The rule that keeps users apart. A connection is lent again only if it is whole, nothing unread is on it, and either no user's
 * octet ever went over it, or its protocol carries the identity in each request, or the backend has confirmed a reset.
 */
export const leaseRule: LeaseRule = (driver, connection, used, limitMs) => {
  if (!isClean(connection)) return false
  if (!used || driver.reuse === 'per-request') return true
  if (driver.reuse === 'after-reset') return wasReset(driver, connection, limitMs)
  return false
}

/** Open both ways, and silent. */
export function isClean({ leg }: Connection): boolean {
  return leg.state === 'open' && leg.buffered === 0
}

async function wasReset(driver: BackendDriver, connection: Connection, limitMs: number): Promise<boolean> {
  const { leg, greeting } = connection
  if (driver.reset === undefined) return false
  leg.setDeadline(limitMs)
  try {
    return (await driver.reset(leg, greeting, NEVER)) && isClean(connection)
  } catch {
    return false
  } finally {
    leg.setDeadline(0)
  }
}
