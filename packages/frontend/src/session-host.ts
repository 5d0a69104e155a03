// SPDX-License-Identifier: MIT
import type { Timer } from '@portico/base'
import type { TimerWheel } from '@portico/net'
import type { Ended, Protocol } from '@portico/session'
import { LiveSession, type SessionParts } from './live-session.js'

/** Runs sessions and knows those that live. */
export class SessionHost {
  readonly #live = new Set<LiveSession>()
  readonly #wheel: TimerWheel
  #draining = false
  #whenEmpty: (() => void) | undefined

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  get size(): number {
    return this.#live.size
  }

  /**
   * Runs one session to its end: serves it, destroys its leg, writes its line. Never rejects: a bug in a protocol ends that one
   * session and no other.
   */
  async run<S>(parts: SessionParts, protocol: Protocol<S>, settings: S): Promise<void> {
    const session = new LiveSession(parts)
    const { limits } = parts.services
    this.#live.add(session)
    // Its connection was accepted before, and its handshake has only now ended.
    if (this.#draining) session.drain()
    session.leg.setDeadline(limits.preAuth + limits.linger)
    const ended = await serve(session, protocol, settings)
    session.destroy()
    this.#live.delete(session)
    session.record.bytesIn = session.leg.bytesRead
    session.record.bytesOut = session.leg.bytesWritten
    session.record.end(session.services.log, ended)
    if (this.#live.size === 0) this.#whenEmpty?.()
  }

  /** Asks every session to finish; those that live after `ms` are destroyed. Resolves when none is left. */
  async drain(ms: number): Promise<void> {
    this.#draining = true
    if (this.#live.size === 0) return
    let limit: Timer | undefined
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve
      limit = this.#wheel.add(ms, () => this.#destroyAll())
    })
    for (const session of this.#live) session.drain()
    await empty
    limit?.cancel()
  }

  /** Destroys every session; resolves when each has written its line. */
  async close(): Promise<void> {
    if (this.#live.size === 0) return
    const former = this.#whenEmpty
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = () => {
        former?.()
        resolve()
      }
    })
    this.#destroyAll()
    await empty
  }

  #destroyAll(): void {
    for (const session of this.#live) session.destroy()
  }
}

async function serve<S>(session: LiveSession, protocol: Protocol<S>, settings: S): Promise<Ended> {
  try {
    return await protocol.serve(session, settings)
  } catch (error) {
    session.services.log.error('a session failed: this is a bug', { session: session.id, error })
    return 'server-bug'
  }
}
