// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import type { Ended } from '@portico/session'

/** What the client is told: a response code of RFC 2449 section 8 or RFC 3206, and text. */
export interface FailureReply {
  readonly code?: string
  readonly text: string
}

const AWAY: FailureReply = { code: 'SYS/TEMP', text: 'The server is not available now, try again later' }

/** Every reason has its words. */
export const FAILURES: Readonly<Record<FailureReason, FailureReply>> = {
  'invalid-credentials': { code: 'AUTH', text: 'Sign-in failed' },
  'unauthorized-identity': { code: 'AUTH', text: 'You may not act for that user' },
  'password-expired': { code: 'AUTH', text: 'The password has expired' },
  'account-disabled': { code: 'AUTH', text: 'The account is disabled' },
  'protocol-disabled': { code: 'AUTH', text: 'POP3 is not enabled for this account' },
  'network-refused': { code: 'AUTH', text: 'Sign-in is not allowed from your network' },
  'encryption-required': { code: 'AUTH', text: 'Sign-in needs an encrypted connection' },
  'no-mailbox': { code: 'SYS/PERM', text: 'There is no mailbox for this account' },
  'not-authenticated': { text: 'Sign in first' },
  'mechanism-unavailable': { text: 'That mechanism is not available' },
  malformed: { text: 'Syntax error' },
  aborted: { text: 'Authentication cancelled' },
  'too-long': { text: 'Too long' },
  throttled: { code: 'SYS/TEMP', text: 'Too many attempts, try again later' },
  'lookup-unavailable': AWAY,
  'backend-unavailable': AWAY,
  draining: { code: 'SYS/TEMP', text: 'The server is going down, please connect again' },
  'server-bug': { code: 'SYS/TEMP', text: 'Internal error' },
}

/** Codes of a backend's -ERR that are passed on as they are: they say something that our own reasons have no word for. */
export const PASSED_CODES: ReadonlySet<string> = new Set(['IN-USE', 'LOGIN-DELAY'])

/** The reply line of a failure. `detail` may replace the response code by one of {@link PASSED_CODES}. */
export function failureLine(reason: FailureReason, detail?: string): string {
  const { code, text } = FAILURES[reason]
  const used = detail !== undefined && PASSED_CODES.has(detail) ? detail : code
  return used === undefined ? `-ERR ${text}\r\n` : `-ERR [${used}] ${text}\r\n`
}

// The pre-auth time is not among them: an idle session is closed without a word (RFC 1939 section 3). What ends a session right
// behind its -ERR needs no second one, which a client would take for the answer to its next command.
const GOODBYES: Partial<Readonly<Record<Ended, string>>> = {
  draining: failureLine('draining'),
  'not-this-protocol': '-ERR This is a POP3 server\r\n',
}

/** The last line of a session that we end before sign-in; empty where there is nothing to say. */
export function goodbye(ended: Ended): string {
  return GOODBYES[ended] ?? ''
}

/** Sent to a connection over a limit. */
export const TOO_BUSY = '-ERR [SYS/TEMP] Too many connections\r\n'
