// SPDX-License-Identifier: MIT
import { type Reply, statusReply } from '../replies.js'
import type { ActiveSyncSettings } from './schema.js'

/** What devices are told when a throttled answer does not say how long to wait, in seconds. */
const THROTTLED_WAIT = 30

/**
 * A failure in the words of ActiveSync ([MS-ASHTTP] section 2.2.2.1.1): 456 for an account that is barred, on which a device stops
 * asking; 457 for an expired password, which needs the place to change it; 503 where others get 429. Other replies are left as
 * they are.
 */
export function inActiveSync(reply: Reply, { passwordUrl }: Pick<ActiveSyncSettings, 'passwordUrl'>): Reply {
  switch (reply.reason) {
    case 'account-disabled':
      return { ...statusReply(456), reason: reply.reason }
    case 'password-expired':
      if (passwordUrl === undefined) return reply
      return { ...statusReply(457, `X-MS-Credential-Service-Url: ${passwordUrl}\r\n`), reason: reply.reason }
    case 'throttled':
      return { ...statusReply(503, reply.fields || retryAfter(THROTTLED_WAIT * 1000)), reason: reply.reason }
    default:
      return reply
  }
}

/** A device has to wait. The optional X-MS-ASThrottle says that it was too many commands, not the state of the server. */
export function throttledReply(why: 'busy' | 'often', waitMs: number): Reply {
  const field = why === 'often' ? 'X-MS-ASThrottle: CommandFrequency\r\n' : ''
  return statusReply(503, `${retryAfter(waitMs)}${field}`)
}

function retryAfter(waitMs: number): string {
  return `Retry-After: ${Math.max(1, Math.ceil(waitMs / 1000))}\r\n`
}
