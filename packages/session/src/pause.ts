// SPDX-License-Identifier: MIT
import type { Session } from './session.js'

/** A wait during which nothing is read and nothing said: one timer is all that it costs. */
export class Pause {
  readonly #session: Pick<Session, 'signal' | 'services' | 'draining'>
  #goOn: (() => void) | undefined

  constructor(session: Pick<Session, 'signal' | 'services' | 'draining'>) {
    this.#session = session
  }

  /** Waits for so many milliseconds; less when the session's signal aborts, and not at all when the node is leaving. */
  hold(ms: number): Promise<void> {
    const { signal, services, draining } = this.#session
    if (ms === 0 || signal.aborted || draining) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = services.wheel.add(ms, () => this.end())
      this.#goOn = () => {
        timer.cancel()
        this.#goOn = undefined
        signal.onAbort = undefined
        resolve()
      }
      signal.onAbort = this.#goOn
    })
  }

  /** Nobody has to wait any more. */
  end(): void {
    this.#goOn?.()
  }
}
