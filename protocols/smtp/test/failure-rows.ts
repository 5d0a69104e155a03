// SPDX-License-Identifier: MIT
import type { FailureRows } from '@portico/testkit'

/** Where each failure is shown as the answer to AUTH (RFC 4954 sections 4 and 6), or to the command that should have followed it. */
export const AUTH_ROWS: FailureRows = {
  'invalid-credentials': { transcript: 'auth-wrong-password.txt', says: '535 5.7.8' },
  'unauthorized-identity': { transcript: 'auth-unauthorized-identity.txt', says: '535 5.7.8' },
  'password-expired': {
    unreachable:
      '535 of a backend says no more than that it refuses (RFC 4954 section 6), and a users file does not know expiry.',
  },
  'account-disabled': { transcript: 'auth-account-disabled.txt', says: '525 5.7.13' },
  'protocol-disabled': { transcript: 'auth-protocol-disabled.txt', says: '525 5.7.13' },
  'network-refused': { transcript: 'auth-network-refused.txt', says: '535 5.7.8' },
  'encryption-required': { transcript: 'auth-clear-text.txt', says: '538 5.7.11' },
  'not-authenticated': { transcript: 'auth-first.txt', says: '530 5.7.0 Authentication required' },
  'mechanism-unavailable': { transcript: 'auth-mechanism-unknown.txt', says: '504 5.5.4' },
  malformed: { transcript: 'auth-malformed.txt', says: '501 5.5.2' },
  aborted: { transcript: 'auth-cancelled.txt', says: '501 5.7.0' },
  'too-long': { transcript: 'auth-too-long.txt', says: '500 5.5.6' },
  throttled: { transcript: 'auth-throttled.txt', says: '454 4.7.0 Too many attempts' },
  'lookup-unavailable': { transcript: 'auth-lookup-down.txt', says: '454 4.7.0' },
  'backend-unavailable': { transcript: 'auth-backend-down.txt', says: '454 4.7.0' },
  'no-mailbox': { transcript: 'auth-no-mailbox.txt', says: '535 5.7.8' },
  draining: { transcript: 'auth-draining.txt', says: '421 4.3.2' },
  'server-bug': { unreachable: 'A fault of our own: no conversation brings it about on purpose.' },
}

/** Where each failure is shown as the answer to RCPT (RFC 5321 section 4.2, RFC 3463). */
export const RECIPIENT_ROWS: FailureRows = {
  'invalid-credentials': {
    unreachable: 'A backend that refuses whom we verified is backend-unavailable to the client, at RCPT as at AUTH.',
  },
  'unauthorized-identity': {
    unreachable: 'Whom a sender acts for is settled at AUTH, before any recipient can be named.',
  },
  'password-expired': {
    unreachable: 'Passwords are looked at when the sender signs in, before any recipient can be named.',
  },
  'account-disabled': { transcript: 'recipient-backend-disabled.txt', says: '550 5.2.1' },
  'protocol-disabled': { transcript: 'recipient-protocol-disabled.txt', says: '550 5.2.1' },
  'network-refused': {
    unreachable: 'Networks bind who signs in; anybody may send to a local mailbox (RFC 5321 section 3.3).',
  },
  'encryption-required': {
    unreachable: 'MAIL has asked for STARTTLS already, and there is no recipient without MAIL.',
  },
  'not-authenticated': { unreachable: 'MAIL has asked for sign-in already, and there is no recipient without MAIL.' },
  'mechanism-unavailable': { unreachable: 'Mechanisms belong to AUTH; a recipient is named without one.' },
  malformed: { transcript: 'bad-arguments.txt', says: '501 5.1.3' },
  aborted: { unreachable: 'Only an exchange of several steps can be broken off; RCPT is one line.' },
  'too-long': { transcript: 'line-too-long.txt', says: '500 5.5.2' },
  throttled: {
    unreachable: 'The throttle holds for sign-ins; recipients of a message are bounded by their number alone.',
  },
  'lookup-unavailable': { transcript: 'recipient-lookup-down.txt', says: '451 4.3.0' },
  'backend-unavailable': { transcript: 'backend-down.txt', says: '451 4.3.0' },
  'no-mailbox': { transcript: 'user-unknown.txt', says: '550 5.1.1' },
  draining: { transcript: 'draining-before-recipients.txt', says: '421 4.3.2' },
  'server-bug': { unreachable: 'A fault of our own: no conversation brings it about on purpose.' },
}
