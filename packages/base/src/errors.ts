// SPDX-License-Identifier: MIT
import type { FailureReason } from './failure.js'

/** The peer broke the protocol. `reply` is what it is told; `fatal` says that the session ends with it. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly reply: string
  readonly fatal: boolean
  readonly reason: FailureReason

  constructor(
    reply: string,
    options: { readonly fatal?: boolean; readonly reason?: FailureReason; readonly cause?: unknown } = {},
  ) {
    super(reply, { cause: options.cause })
    this.reply = reply
    this.fatal = options.fatal ?? false
    this.reason = options.reason ?? 'malformed'
  }
}

/** What a backend did wrong. `timed-out`: it did not answer within the phase's time. */
export type BackendErrorCode =
  | 'refused'
  | 'unreachable'
  | 'timed-out'
  | 'reset'
  | 'closed'
  | 'garbage'
  | 'tls'
  | 'cleartext-forbidden'
  | 'breaker-open'
  | 'cancelled'
  | 'busy'
  | 'temporary'
  | 'other'

/** What was being done at the backend when it failed. */
export type BackendPhase = 'acquire' | 'connect' | 'tls' | 'greeting' | 'identify' | 'login' | 'transaction' | 'request'

/** Trouble with a backend. Never shown to a client: `message` says what was being done, `backend` is for logs only. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
  readonly code: BackendErrorCode
  readonly backend: string
  readonly phase: BackendPhase
  /** Has the client been answered yet? While it has not, another backend may be tried. */
  readonly answered: boolean

  constructor(details: {
    readonly code: BackendErrorCode
    readonly backend: string
    readonly phase: BackendPhase
    readonly answered?: boolean
    readonly cause?: unknown
  }) {
    super(`${details.phase} failed at the backend: ${details.code}`, { cause: details.cause })
    this.code = details.code
    this.backend = details.backend
    this.phase = details.phase
    this.answered = details.answered ?? false
  }
}
