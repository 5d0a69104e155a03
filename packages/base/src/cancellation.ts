// SPDX-License-Identifier: MIT

/** Why an operation is to stop. `closed`: its session ended; `deadline`: its time is up; `draining`: the node is leaving. */
export type CancelReason = 'closed' | 'deadline' | 'draining' | 'superseded'

/**
 * A small token that says "stop". A session holds one for its whole life, because an AbortController per session would cost a
 * fifth or more of a login. There is one listener slot: a session awaits one thing at a time.
 */
export interface Cancellation {
  readonly aborted: boolean
  readonly reason: CancelReason | undefined
  /** Set to be told once; set to `undefined` when the step has ended. Setting it on an aborted token calls it at once. */
  onAbort: ((reason: CancelReason) => void) | undefined
  /** A real AbortSignal, made on first use, for drivers that want one. It does not occupy the slot. */
  toAbortSignal(): AbortSignal
}

/** The owner's side of a {@link Cancellation}. */
export class CancellationSource implements Cancellation {
  #reason: CancelReason | undefined
  #listener: ((reason: CancelReason) => void) | undefined
  #controller: AbortController | undefined

  get aborted(): boolean {
    return this.#reason !== undefined
  }

  get reason(): CancelReason | undefined {
    return this.#reason
  }

  get onAbort(): ((reason: CancelReason) => void) | undefined {
    return this.#listener
  }

  set onAbort(listener: ((reason: CancelReason) => void) | undefined) {
    if (listener !== undefined && this.#listener !== undefined) {
      throw new Error('this cancellation already has a listener: a session awaits one thing at a time')
    }
    if (listener !== undefined && this.#reason !== undefined) {
      listener(this.#reason)
      return
    }
    this.#listener = listener
  }

  /** Idempotent: the first reason stays. */
  abort(reason: CancelReason): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
    const listener = this.#listener
    this.#listener = undefined
    listener?.(reason)
  }

  toAbortSignal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }
}

/** Never aborts; shared by callers that cannot be cancelled. */
export const NEVER: Cancellation = {
  aborted: false,
  reason: undefined,
  get onAbort(): undefined {
    return undefined
  },
  set onAbort(_listener: ((reason: CancelReason) => void) | undefined) {},
  toAbortSignal: () => new AbortController().signal,
}
