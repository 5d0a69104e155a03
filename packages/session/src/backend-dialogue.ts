// SPDX-License-Identifier: MIT
import { type Backend, BackendError, type BackendErrorCode, type BackendPhase, type Cancellation } from '@portico/base'
import {
  backendErrorOfRead,
  backendErrorOfUpgrade,
  backendTlsOptions,
  type Conversation,
  converse,
  type Leg,
  type ReadEnd,
} from '@portico/net'

/** A line from a backend, one octet per character, or the trouble that came instead. */
export type BackendLine = { readonly kind: 'line'; readonly text: string } | BackendFailed

export interface BackendFailed {
  readonly kind: 'failed'
  readonly error: BackendError
}

/** A backend that says more than this before a session is open is not a mailbox server. */
const MOST_LINES = 64
const MOST_OCTETS = 65_536
const LONGEST_LINE = 16_384

/** The backend's side of a line protocol, until the relay takes over. Bounded in lines and octets. */
export class BackendDialogue {
  readonly leg: Leg
  /** What is being done, for the error that may come of it. */
  phase: BackendPhase
  readonly #backend: Backend
  readonly #signal: Cancellation
  readonly #conversation: Conversation
  #lines = 0
  #octets = 0

  constructor(leg: Leg, backend: Backend, phase: BackendPhase, signal: Cancellation) {
    this.leg = leg
    this.phase = phase
    this.#backend = backend
    this.#signal = signal
    this.#conversation = converse(leg)
  }

  /** Writes text of one octet per character. */
  send(latin1: string): void {
    this.leg.writeText(latin1)
  }

  /** The next line without its terminator. A bare CR or a NUL in it is garbage. */
  async line(): Promise<BackendLine> {
    if (this.#signal.aborted) return this.#failedBy({ kind: 'cancelled' })
    const read = await this.#conversation.readLine(LONGEST_LINE, this.#signal)
    if (read.kind === 'too-long') return this.fail('garbage')
    if (read.kind !== 'line') return this.#failedBy(read)
    this.#lines += 1
    this.#octets += read.bytes.length
    const text = read.bytes.toString('latin1')
    if (this.#lines > MOST_LINES || this.#octets > MOST_OCTETS || /[\r\0]/.test(text)) return this.fail('garbage')
    return { kind: 'line', text }
  }

  /** Trouble of the present phase. */
  fail(code: BackendErrorCode, cause?: unknown): BackendFailed {
    return {
      kind: 'failed',
      error: new BackendError({ code, backend: this.#backend.id, phase: this.phase, cause }),
    }
  }

  /** STARTTLS or STLS was agreed: becomes TLS as the backend's policy says, or fails. */
  async upgrade(timeoutMs: number): Promise<BackendFailed | undefined> {
    const before = this.phase
    this.phase = 'tls'
    if (this.leg.buffered > 0) return this.fail('garbage')
    const result = await this.leg.upgradeClient(backendTlsOptions(this.#backend), timeoutMs)
    if (result.kind === 'failed') return this.fail(backendErrorOfUpgrade(result.reason), result.cause)
    this.phase = before
    return undefined
  }

  #failedBy(end: ReadEnd): BackendFailed {
    const { code, cause } = backendErrorOfRead(end, this.#signal)
    return this.fail(code, cause)
  }
}
