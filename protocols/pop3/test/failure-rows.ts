// SPDX-License-Identifier: MIT
import type { FailureRows } from '@portico/testkit'

/** Where each failure is shown in POP3 (RFC 2449 section 8, RFC 3206). */
export const FAILURE_ROWS: FailureRows = {
  'invalid-credentials': { transcript: 'wrong-password.txt', says: '-ERR [AUTH] Sign-in failed' },
  'unauthorized-identity': {
    transcript: 'auth-authzid-refused.txt',
    says: '-ERR [AUTH] You may not act for that user',
  },
  'password-expired': {
    unreachable:
      'No response code of RFC 2449 or RFC 3206 says it, so no backend can tell, and a users file does not know expiry.',
  },
  'account-disabled': { transcript: 'account-disabled.txt', says: '-ERR [AUTH] The account is disabled' },
  'protocol-disabled': { transcript: 'protocol-disabled.txt', says: '-ERR [AUTH] POP3 is not enabled' },
  'network-refused': {
    transcript: 'network-refused.txt',
    says: '-ERR [AUTH] Sign-in is not allowed from your network',
  },
  'encryption-required': {
    transcript: 'user-in-the-clear.txt',
    says: '-ERR [AUTH] Sign-in needs an encrypted connection',
  },
  'not-authenticated': { transcript: 'command-needs-sign-in.txt', says: '-ERR Sign in first' },
  'mechanism-unavailable': { transcript: 'auth-unknown-mechanism.txt', says: '-ERR That mechanism is not available' },
  malformed: { transcript: 'auth-bad-base64.txt', says: '-ERR Syntax error' },
  aborted: { transcript: 'auth-abort.txt', says: '-ERR Authentication cancelled' },
  'too-long': { transcript: 'auth-response-too-long.txt', says: '-ERR Too long' },
  throttled: { transcript: 'throttled.txt', says: '-ERR [SYS/TEMP]' },
  'lookup-unavailable': { transcript: 'lookup-down.txt', says: '-ERR [SYS/TEMP]' },
  'backend-unavailable': { transcript: 'backend-refuses-connection.txt', says: '-ERR [SYS/TEMP]' },
  'no-mailbox': { transcript: 'no-mailbox.txt', says: '-ERR [SYS/PERM] There is no mailbox' },
  draining: { transcript: 'draining.txt', says: '-ERR [SYS/TEMP] The server is going down' },
  'server-bug': { unreachable: 'A fault of our own: no conversation brings it about on purpose.' },
}
