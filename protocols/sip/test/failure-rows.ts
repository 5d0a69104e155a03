// SPDX-License-Identifier: MIT
import type { FailureRows } from '@portico/testkit'

const NO_SIGN_IN = { unreachable: 'Nobody signs in to a redirect server, so that no sign-in can fail.' }

/** Where each failure is shown in SIP (RFC 3261 section 21). */
export const FAILURE_ROWS: FailureRows = {
  'invalid-credentials': NO_SIGN_IN,
  'unauthorized-identity': NO_SIGN_IN,
  'password-expired': NO_SIGN_IN,
  'account-disabled': NO_SIGN_IN,
  'protocol-disabled': { transcript: 'protocol-disabled.txt', says: 'SIP/2.0 404 Not Found' },
  'network-refused': { transcript: 'stranger.txt', says: 'SIP/2.0 403 Forbidden' },
  'encryption-required': NO_SIGN_IN,
  'not-authenticated': NO_SIGN_IN,
  'mechanism-unavailable': NO_SIGN_IN,
  malformed: { transcript: 'malformed.txt', says: 'SIP/2.0 400 Malformed Max-Forwards' },
  aborted: NO_SIGN_IN,
  'too-long': { transcript: 'head-too-long.txt', says: 'SIP/2.0 513 Message Too Large' },
  throttled: {
    unreachable: 'Connections of one address are counted before a session, and datagrams beyond a rate are dropped.',
  },
  'lookup-unavailable': { transcript: 'lookup-down.txt', says: 'SIP/2.0 503 Service Unavailable' },
  'backend-unavailable': { transcript: 'unknown-host.txt', says: 'SIP/2.0 503 Service Unavailable' },
  'no-mailbox': { transcript: 'no-mailbox.txt', says: 'SIP/2.0 404 Not Found' },
  draining: { transcript: 'inactive.txt', says: 'SIP/2.0 503 Service Unavailable' },
  'server-bug': { unreachable: 'A fault of our own: no conversation brings it about on purpose.' },
}
