// SPDX-License-Identifier: MIT
import type { Timer } from '@portico/base'
import type { Session } from '@portico/session'

/** Whether the client is still there to be answered, while its last requests are. */
const LOOK_EVERY_MS = 1_000

/** The requests of one connection that are being answered at the same time: as many as it may have, each with a session of its own. */
export class Crowd {
  readonly #whole: Session
  readonly #most: number
  readonly #running = new Map<Session, Promise<void>>()
  #bug: { readonly error: unknown } | undefined

  constructor(whole: Session, most: number) {
    this.#whole = whole
    this.#most = most
  }

  /** Begins, as soon as there is a place. Rejects with what one before has failed with. */
  async enter(run: (asking: Session) => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#most) await Promise.race(this.#running.values())
    if (this.#bug !== undefined) throw this.#bug.error
    const asking = this.#whole.fork()
    const { openBackend } = this.#whole.services.limits
    const limit = this.#whole.services.wheel.add(openBackend, () => asking.signal.abort('deadline'))
    const done = run(asking)
      .catch((error: unknown) => {
        this.#bug ??= { error }
      })
      .finally(() => {
        limit.cancel()
        this.#whole.record.absorb(asking.record)
        this.#running.delete(asking)
      })
    this.#running.set(asking, done)
  }

  /** Waits for those that are left; whose client has gone is told to stop. */
  async finish(): Promise<void> {
    let look: Timer | undefined
    const watch = () => {
      if (this.#whole.leg.state === 'closed') for (const { signal } of this.#running.keys()) signal.abort('closed')
      else look = this.#whole.services.wheel.add(LOOK_EVERY_MS, watch)
    }
    if (this.#running.size > 0) watch()
    await Promise.all(this.#running.values())
    look?.cancel()
    if (this.#bug !== undefined) throw this.#bug.error
  }
}
