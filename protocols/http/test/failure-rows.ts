// SPDX-License-Identifier: MIT
import type { FailureRows } from '@portico/testkit'

/** Where each failure is shown in HTTP (RFC 9110 section 15, RFC 6585). */
export const FAILURE_ROWS: FailureRows = {
  'invalid-credentials': { transcript: 'wrong-password.txt', says: '401 Unauthorized' },
  'unauthorized-identity': { transcript: 'delegate-refused.txt', says: '403 Forbidden' },
  'password-expired': {
    unreachable: 'A 401 of a backend says no more than that it refuses, and a users file does not know expiry.',
  },
  'account-disabled': { transcript: 'account-disabled.txt', says: '403 Forbidden' },
  'protocol-disabled': { transcript: 'protocol-disabled.txt', says: '403 Forbidden' },
  'network-refused': { transcript: 'network-refused.txt', says: '403 Forbidden' },
  'encryption-required': { transcript: 'in-the-clear.txt', says: '403 Forbidden' },
  'not-authenticated': { transcript: 'no-credentials.txt', says: '401 Unauthorized' },
  'mechanism-unavailable': { transcript: 'other-scheme.txt', says: '401 Unauthorized' },
  malformed: { transcript: 'bad-credentials.txt', says: '400 Bad Request' },
  aborted: { unreachable: 'Basic has a single step (RFC 7617 section 2), so that nothing can be broken off.' },
  'too-long': { transcript: 'body-too-long.txt', says: '413 Content Too Large' },
  throttled: { transcript: 'throttled.txt', says: '429 Too Many Requests' },
  'lookup-unavailable': { transcript: 'lookup-down.txt', says: '503 Service Unavailable' },
  'backend-unavailable': { transcript: 'backend-down.txt', says: '503 Service Unavailable' },
  'no-mailbox': { transcript: 'no-mailbox.txt', says: '404 Not Found' },
  draining: { transcript: 'draining.txt', says: '503 Service Unavailable' },
  'server-bug': { unreachable: 'A fault of our own: no conversation brings it about on purpose.' },
}
