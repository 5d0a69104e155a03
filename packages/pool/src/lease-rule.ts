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
) => Promise<boolean>

/**
 * The rule that keeps users apart. A connection is lent again only if it is whole, nothing unread is on it, and either no user's
 * octet ever went over it, or its protocol carries the identity in each request, or the backend has confirmed a reset.
 */
export const leaseRule: LeaseRule = async (driver, connection, used, limitMs) => {
  if (!isClean(connection)) return false
  if (!used) return true
  if (driver.reuse === 'never') return false
  if (driver.reuse === 'after-reset' && !(await wasReset(driver, connection, limitMs))) return false
  return isClean(connection)
}

/** Open both ways, and silent. */
export function isClean({ leg }: Connection): boolean {
  return leg.state === 'open' && leg.buffered === 0
}

async function wasReset(driver: BackendDriver, { leg, greeting }: Connection, limitMs: number): Promise<boolean> {
  if (driver.reset === undefined) return false
  leg.setDeadline(limitMs)
  try {
    return await driver.reset(leg, greeting, NEVER)
  } catch {
    return false
  } finally {
    leg.setDeadline(0)
  }
}
