// SPDX-License-Identifier: MIT

/**
 * Why a session, login or request was refused. Each protocol turns every one of these into its own words in one table, its
 * `replies.ts`, exhaustive by type. The names say what happened to the user, not what went wrong inside.
 */
export type FailureReason =
  | 'invalid-credentials'
  | 'unauthorized-identity'
  | 'password-expired'
  | 'account-disabled'
  | 'protocol-disabled'
  | 'network-refused'
  | 'encryption-required'
  | 'not-authenticated'
  | 'mechanism-unavailable'
  | 'malformed'
  | 'aborted'
  | 'too-long'
  | 'throttled'
  | 'lookup-unavailable'
  | 'backend-unavailable'
  | 'no-mailbox'
  | 'draining'
  | 'server-bug'

/** The reasons that authentication itself can give. */
export type AuthFailureReason = Extract<
  FailureReason,
  | 'invalid-credentials'
  | 'unauthorized-identity'
  | 'password-expired'
  | 'account-disabled'
  | 'protocol-disabled'
  | 'network-refused'
  | 'encryption-required'
  | 'mechanism-unavailable'
  | 'malformed'
  | 'aborted'
  | 'too-long'
  | 'throttled'
  | 'lookup-unavailable'
>

/** The reasons that routing can give. */
export type RefusalReason = Extract<
  FailureReason,
  | 'unauthorized-identity'
  | 'protocol-disabled'
  | 'network-refused'
  | 'lookup-unavailable'
  | 'backend-unavailable'
  | 'no-mailbox'
  | 'draining'
>
