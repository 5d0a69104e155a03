// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'

/** A status code with its phrase (RFC 3261 section 21). */
export interface Status {
  readonly code: number
  readonly phrase: string
}

export const OK: Status = { code: 200, phrase: 'OK' }
export const MOVED: Status = { code: 302, phrase: 'Moved Temporarily' }
export const BAD_EXTENSION: Status = { code: 420, phrase: 'Bad Extension' }
export const NOT_ALLOWED: Status = { code: 405, phrase: 'Method Not Allowed' }
export const BAD_SCHEME: Status = { code: 416, phrase: 'Unsupported URI Scheme' }
/** Of a SIPS URI whose server has no TLS (RFC 5630 section 5.4). */
export const UNAVAILABLE: Status = { code: 480, phrase: 'Temporarily Unavailable' }
export const NO_CALL: Status = { code: 481, phrase: 'Call/Transaction Does Not Exist' }
export const NOT_IMPLEMENTED: Status = { code: 501, phrase: 'Not Implemented' }
export const BAD_VERSION: Status = { code: 505, phrase: 'Version Not Supported' }

/** What is wrong with a request, in the words of its phrase. */
export function badRequest(phrase: string): Status {
  return { code: 400, phrase }
}

const NOT_FOUND: Status = { code: 404, phrase: 'Not Found' }
const FORBIDDEN: Status = { code: 403, phrase: 'Forbidden' }
const AWAY: Status = { code: 503, phrase: 'Service Unavailable' }

/** What each failure is in SIP. Nobody signs in here, so that what only a sign-in meets is told as a plain refusal. */
const STATUSES: Readonly<Record<FailureReason, Status>> = {
  'invalid-credentials': FORBIDDEN,
  'unauthorized-identity': FORBIDDEN,
  'password-expired': FORBIDDEN,
  'account-disabled': FORBIDDEN,
  // A mailbox without a voice server is none to call: whoever asks learns no more of it.
  'protocol-disabled': NOT_FOUND,
  'network-refused': FORBIDDEN,
  'encryption-required': FORBIDDEN,
  'not-authenticated': FORBIDDEN,
  'mechanism-unavailable': FORBIDDEN,
  malformed: { code: 400, phrase: 'Bad Request' },
  aborted: AWAY,
  'too-long': { code: 513, phrase: 'Message Too Large' },
  throttled: AWAY,
  'lookup-unavailable': AWAY,
  'backend-unavailable': AWAY,
  'no-mailbox': NOT_FOUND,
  draining: AWAY,
  'server-bug': { code: 500, phrase: 'Server Internal Error' },
}

export function statusOf(reason: FailureReason): Status {
  return STATUSES[reason]
}
