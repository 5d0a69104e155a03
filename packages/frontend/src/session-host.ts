// SPDX-License-Identifier: MIT
import type { TimerWheel } from '@portico/net'
import type { Ended, Protocol } from '@portico/session'
import { LiveSession, type SessionParts } from './live-session.js'

/** Runs the sessions of one listener and knows those that live. */
export class SessionHost {
  readonly #live = new Set<LiveSession>()
  readonly #wheel: TimerWheel
  readonly #whenEmpty = new Set<() => void>()
  #drained: Promise<void> | undefined

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
    if (this.#drained !== undefined) session.drain()
    session.leg.setDeadline(limits.preAuth + limits.linger)
    const ended = await serve(session, protocol, settings)
    session.destroy()
    this.#live.delete(session)
    session.record.bytesIn += session.leg.bytesRead
    session.record.bytesOut += session.leg.bytesWritten
    session.record.end(session.services.log, ended)
    if (this.#live.size === 0) for (const tell of this.#whenEmpty) tell()
  }

  /**
   * Asks every session to finish. Those that live after `ms` are told to stop, which they do in order where they can; what is
   * left `lingerMs` later is destroyed. Resolves when none is left. A second call asks nothing that the first did not.
   */
  drain(ms: number, lingerMs: number): Promise<void> {
    this.#drained ??= this.#drain(ms, lingerMs)
    return this.#drained
  }

  async #drain(ms: number, lingerMs: number): Promise<void> {
    let limit = this.#wheel.add(ms, () => {
      limit = this.#wheel.add(lingerMs, () => this.#destroyAll())
      for (const session of this.#live) session.expire()
    })
    for (const session of this.#live) session.drain()
    await this.#empty()
    limit.cancel()
  }

  /** Destroys every session; resolves when each has written its line. */
  async close(): Promise<void> {
    this.#destroyAll()
    await this.#empty()
  }

  async #empty(): Promise<void> {
    if (this.#live.size === 0) return
    await new Promise<void>((resolve) => this.#whenEmpty.add(resolve))
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
