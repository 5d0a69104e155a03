// SPDX-License-Identifier: MIT
import { CancellationSource, type ProtocolName } from '@portico/base'
import type { Leg } from '@portico/net'
import type { ListenerFacts, Services, Session } from '@portico/session'
import { SessionRecord } from '@portico/telemetry'

/** What a session is made of. */
export interface SessionParts {
  readonly id: string
  readonly protocol: ProtocolName
  readonly listener: ListenerFacts
  readonly leg: Leg
  readonly networks: readonly string[]
  readonly trusted: boolean
  readonly services: Services
}

/** The host's side of a {@link Session}. */
export class LiveSession implements Session {
  readonly id: string
  readonly protocol: ProtocolName
  readonly listener: ListenerFacts
  readonly leg: Leg
  readonly networks: readonly string[]
  readonly trusted: boolean
  readonly services: Services
  readonly signal = new CancellationSource()
  readonly record: SessionRecord
  hops = 0
  #draining = false
  #onDrain: (() => void) | undefined

  constructor(parts: SessionParts) {
    this.id = parts.id
    this.protocol = parts.protocol
    this.listener = parts.listener
    this.leg = parts.leg
    this.networks = parts.networks
    this.trusted = parts.trusted
    this.services = parts.services
    this.record = new SessionRecord({
      id: parts.id,
      protocol: parts.protocol,
      listener: parts.listener.name,
      client: parts.leg.facts.peer,
      networks: parts.networks,
      clock: parts.services.clock,
    })
  }

  get draining(): boolean {
    return this.#draining
  }

  get onDrain(): (() => void) | undefined {
    return this.#onDrain
  }

  set onDrain(listener: (() => void) | undefined) {
    this.#onDrain = listener
  }

  /** Tells the session, once, that the node is leaving. */
  drain(): void {
    if (this.#draining) return
    this.#draining = true
    const listener = this.#onDrain
    this.#onDrain = undefined
    listener?.()
  }

  /** Ends it now: whatever it awaits is cancelled and its client is dropped. */
  destroy(): void {
    this.signal.abort('closed')
    this.leg.destroy()
  }
}
