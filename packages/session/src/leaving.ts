// SPDX-License-Identifier: MIT
import type { Timer } from '@portico/base'
import type { Relay, RelayObserver } from '@portico/net'
import type { Session } from './session.js'

/** A protocol's last words in a relayed session. It looks on at all that is relayed, so as to know where they may stand. */
export interface Farewell extends RelayObserver {
  /** What the client may be told now that both sides are silent; `undefined` when it could fall into something else. */
  lastWords(): string | undefined
}

/** Both sides are silent when neither has said anything for so long. */
const SILENCE_MS = 1_000

/**
 * Lets a relayed session go when the node leaves: with last words as soon as the farewell has some, else when the drain time is
 * up, by closing both connections in order.
 */
export class Leaving implements Disposable {
  /** The session was ended because the node leaves. */
  left = false
  readonly #session: Session
  readonly #relay: Relay
  #moved = -1
  #timer: Timer | undefined

  constructor(session: Session, joined: Relay, farewell: Farewell | undefined) {
    this.#session = session
    this.#relay = joined
    session.signal.onAbort = (reason) => {
      this.left = reason === 'draining'
      joined.stop()
    }
    if (farewell === undefined) return
    if (session.draining) this.#look(farewell)
    else session.onDrain = () => this.#look(farewell)
  }

  #look(farewell: Farewell): void {
    const { moved, quiet } = this.#relay
    const words = moved === this.#moved && quiet ? farewell.lastWords() : undefined
    if (words !== undefined) {
      this.left = true
      this.#relay.stop(words)
      return
    }
    this.#moved = moved
    this.#timer = this.#session.services.wheel.add(SILENCE_MS, () => this.#look(farewell))
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel()
    this.#session.onDrain = undefined
    this.#session.signal.onAbort = undefined
  }
}
