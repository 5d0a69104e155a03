// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import type { Ended } from '@portico/session'

/** What the client is told, in the words of RFC 9051 section 7.1 and RFC 5530 section 3. `BYE` ends the session. */
export interface FailureReply {
  readonly status: 'NO' | 'BAD' | 'BYE'
  readonly code?: string
  readonly text: string
}

const CONTACT = { status: 'NO', code: 'CONTACTADMIN' } as const
const AWAY = { status: 'NO', code: 'UNAVAILABLE', text: 'The server is not available now, try again later' } as const

/** Every reason has its words. */
export const FAILURES: Readonly<Record<FailureReason, FailureReply>> = {
  'invalid-credentials': { status: 'NO', code: 'AUTHENTICATIONFAILED', text: 'Sign-in failed' },
  'unauthorized-identity': { status: 'NO', code: 'AUTHORIZATIONFAILED', text: 'You may not act for that user' },
  'password-expired': { status: 'NO', code: 'EXPIRED', text: 'The password has expired' },
  'account-disabled': { ...CONTACT, text: 'The account is disabled' },
  'protocol-disabled': { ...CONTACT, text: 'IMAP is not enabled for this account' },
  'network-refused': { ...CONTACT, text: 'Sign-in is not allowed from your network' },
  'no-mailbox': { ...CONTACT, text: 'There is no mailbox for this account' },
  'encryption-required': { status: 'NO', code: 'PRIVACYREQUIRED', text: 'Sign-in needs an encrypted connection' },
  'not-authenticated': { status: 'BAD', text: 'Sign in first' },
  'mechanism-unavailable': { status: 'NO', text: 'That mechanism is not available' },
  malformed: { status: 'BAD', text: 'Syntax error' },
  aborted: { status: 'BAD', text: 'Authentication cancelled' },
  'too-long': { status: 'BAD', text: 'Too long' },
  throttled: { status: 'NO', code: 'LIMIT', text: 'Too many attempts, try again later' },
  'lookup-unavailable': AWAY,
  'backend-unavailable': AWAY,
  draining: { status: 'BYE', code: 'UNAVAILABLE', text: 'The server is going down, please connect again' },
  'server-bug': { status: 'NO', code: 'SERVERBUG', text: 'Internal error' },
}

/** Codes of a backend's NO that are passed on as they are: they say something that our own reasons have no word for. */
export const PASSED_CODES: ReadonlySet<string> = new Set(['INUSE'])

/** The reply line of a failure. `detail` may replace the response code by one of {@link PASSED_CODES}. */
export function failureLine(tag: string, reason: FailureReason, detail?: string): string {
  const { status, code, text } = FAILURES[reason]
  const used = detail !== undefined && PASSED_CODES.has(detail) ? detail : code
  const words = used === undefined ? text : `[${used}] ${text}`
  return `${status === 'BYE' ? '*' : tag} ${status} ${words}\r\n`
}

/** Words of the backend that have to be shown to the user (RFC 9051 section 7.1, ALERT); empty when there are none. */
export function alertLine(alert: string | undefined): string {
  return alert === undefined ? '' : `* NO [ALERT] ${alert}\r\n`
}

/**
 * The reply that sends a user to the place where the mailbox is (RFC 2221 sections 3 and 4.1); `AUTH=*` keeps clients from going
 * there as nobody (RFC 5092 section 3.2).
 */
export function referralLine(tag: string, to: string, user: string): string {
  return `${tag} NO [REFERRAL imap://${encodeURIComponent(user)};AUTH=*@${to}/] Your mailbox is elsewhere\r\n`
}

const GOODBYES: Partial<Readonly<Record<Ended, string>>> = {
  deadline: '* BYE You took too long to sign in\r\n',
  draining: failureLine('*', 'draining'),
  'too-many-failures': '* BYE Too many failed sign-ins\r\n',
  'too-many-errors': '* BYE Too many errors\r\n',
  'not-this-protocol': '* BYE This is an IMAP server\r\n',
  'server-bug': '* BYE Internal error\r\n',
}

/** The last line of a session that we end before sign-in; empty where there is nothing to say. */
export function goodbye(ended: Ended): string {
  return GOODBYES[ended] ?? ''
}

/** Sent to a connection over a limit. */
export const TOO_BUSY = '* BYE [UNAVAILABLE] Too many connections\r\n'
