// SPDX-License-Identifier: MIT
import { CancellationSource, type ProtocolName } from '@portico/base'
import type { Leg, LegFacts } from '@portico/net'
import type { ListenerFacts, Services, Session } from '@portico/session'
import { SessionRecord } from '@portico/telemetry'
import { ForkedSession } from './forked-session.js'
import { PROXIES } from './schema.js'
import { speakFor } from './speaks-for.js'

/** What a session is made of. */
export interface SessionParts {
  readonly id: string
  readonly protocol: ProtocolName
  readonly listener: ListenerFacts
  readonly leg: Leg
  /** Names of the configured networks that hold an address. */
  readonly networksOf: (address: string) => readonly string[]
  readonly services: Services
}

/** The host's side of a {@link Session}. */
export class LiveSession implements Session {
  readonly id: string
  readonly protocol: ProtocolName
  readonly listener: ListenerFacts
  readonly leg: Leg
  networks: readonly string[]
  readonly isProxy: boolean
  readonly services: Services
  readonly signal = new CancellationSource()
  readonly record: SessionRecord
  hops = 0
  readonly #networksOf: SessionParts['networksOf']
  /** The ends as the transport knows them. */
  readonly #ends: Pick<LegFacts, 'peer' | 'local'>
  #draining = false
  #onDrain: (() => void) | undefined

  constructor(parts: SessionParts) {
    this.id = parts.id
    this.protocol = parts.protocol
    this.listener = parts.listener
    this.leg = parts.leg
    this.#networksOf = parts.networksOf
    this.#ends = parts.leg.facts
    this.networks = parts.networksOf(this.#ends.peer.address)
    this.isProxy = this.networks.includes(PROXIES)
    this.services = parts.services
    this.record = new SessionRecord({
      id: parts.id,
      protocol: parts.protocol,
      listener: parts.listener.name,
      client: this.#ends.peer,
      networks: this.networks,
      clock: parts.services.clock,
    })
  }

  speaksFor(client: Parameters<Session['speaksFor']>[0]): void {
    speakFor(this, client, this.#ends, this.#networksOf)
  }

  fork(): Session {
    return new ForkedSession(this, this.#networksOf, this.#ends)
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

  /** Its time is up: whatever it awaits is cancelled, and it may still close in order. */
  expire(): void {
    this.signal.abort('draining')
  }

  /** Ends it now: whatever it awaits is cancelled and its client is dropped. */
  destroy(): void {
    this.signal.abort('closed')
    this.leg.destroy()
  }
}
