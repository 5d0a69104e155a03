// SPDX-License-Identifier: MIT
import type { FailureRows } from '@portico/testkit'

/** Where each failure is shown in IMAP4 (RFC 9051 section 7.1, RFC 5530 section 3). */
export const FAILURE_ROWS: FailureRows = {
  'invalid-credentials': { transcript: 'wrong-password.txt', says: 'a1 NO [AUTHENTICATIONFAILED] Sign-in failed' },
  'unauthorized-identity': { transcript: 'authenticate-authzid-refused.txt', says: 'NO [AUTHORIZATIONFAILED]' },
  'password-expired': { transcript: 'deferred-expired.txt', says: 'NO [EXPIRED]' },
  'account-disabled': { transcript: 'account-disabled.txt', says: 'NO [CONTACTADMIN] The account is disabled' },
  'protocol-disabled': { transcript: 'protocol-disabled.txt', says: 'NO [CONTACTADMIN] IMAP is not enabled' },
  'network-refused': {
    transcript: 'network-refused.txt',
    says: 'NO [CONTACTADMIN] Sign-in is not allowed from your network',
  },
  'encryption-required': { transcript: 'login-in-the-clear.txt', says: 'NO [PRIVACYREQUIRED]' },
  'not-authenticated': { transcript: 'command-needs-sign-in.txt', says: 'BAD Sign in first' },
  'mechanism-unavailable': { transcript: 'authenticate-unknown-mechanism.txt', says: 'a1 NO' },
  malformed: { transcript: 'authenticate-bad-base64.txt', says: 'a1 BAD' },
  aborted: { transcript: 'authenticate-abort.txt', says: 'a1 BAD Authentication cancelled' },
  'too-long': { transcript: 'authenticate-response-too-long.txt', says: 'a1 BAD Too long' },
  throttled: { transcript: 'throttled.txt', says: 'NO [LIMIT]' },
  'lookup-unavailable': { transcript: 'lookup-down.txt', says: 'NO [UNAVAILABLE]' },
  'backend-unavailable': { transcript: 'backend-refuses-connection.txt', says: 'NO [UNAVAILABLE]' },
  'no-mailbox': { transcript: 'no-mailbox.txt', says: 'NO [CONTACTADMIN] There is no mailbox' },
  draining: { transcript: 'draining.txt', says: '* BYE [UNAVAILABLE]' },
  'server-bug': { unreachable: 'A fault of our own: no conversation brings it about on purpose.' },
}
