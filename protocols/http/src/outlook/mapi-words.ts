// SPDX-License-Identifier: MIT
import type { Directory } from '../directory/schema.js'
import { type Reply, statusReply } from '../replies.js'

/** Whether clients of this directory speak MAPI over HTTP. */
export function isForMapi({ preset }: Directory): boolean {
  return preset === 'mapi'
}

/**
 * A failure in the words of MAPI over HTTP ([MS-OXCMAPIHTTP] section 2.2.2.2): a status alone, which is for those who stand between. Its
 * clients come again after a 503, where others get 429. A code in X-ResponseCode is for the server to say, which knows the context.
 */
export function inMapi(reply: Reply): Reply {
  return reply.reason === 'throttled' ? { ...statusReply(503, reply.fields), reason: reply.reason } : reply
}
