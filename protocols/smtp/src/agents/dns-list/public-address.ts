// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { networksOf } from '@portico/base'

/**
 * Addresses that many networks use or none does, so that no list can say anything of them: the special-purpose registries (RFC 6890)
 * less the blocks for documentation.
 */
const OF_NOBODY = networksOf([
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'],
  ...['224.0.0.0/3', '::/127', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
])

/** Whether an address is one of the Internet, which lists may know. */
export function isPublic(address: string): boolean {
  return isIP(address) !== 0 && !OF_NOBODY.contains(address)
}
