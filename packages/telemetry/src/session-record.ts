// SPDX-License-Identifier: MIT
import type { Clock, Endpoint, ProtocolName } from '@portico/base'
import type { Log } from './log.js'

/** The phases whose times a session's last line tells, in their order. */
export type Phase = 'tls' | 'authenticate' | 'locate' | 'open' | 'relay'

/** What is known of a session; becomes its one log line when it ends. */
export class SessionRecord {
  readonly id: string
  readonly protocol: ProtocolName
  readonly listener: string
  client: Endpoint
  networks: readonly string[]
  user: string | undefined
  mechanism: string | undefined
  backend: string | undefined
  /** Client to backend, and backend to client. */
  bytesIn = 0
  bytesOut = 0
  readonly #clock: Clock
  readonly #began: number
  readonly #phases = new Map<Phase, number>()
  #mark: number

  constructor(facts: {
    readonly id: string
    readonly protocol: ProtocolName
    readonly listener: string
    readonly client: Endpoint
    readonly networks: readonly string[]
    readonly clock: Clock
  }) {
    this.id = facts.id
    this.protocol = facts.protocol
    this.listener = facts.listener
    this.client = facts.client
    this.networks = facts.networks
    this.#clock = facts.clock
    this.#began = facts.clock.now()
    this.#mark = this.#began
  }

  /** A phase begins now. */
  begin(): void {
    this.#mark = this.#clock.now()
  }

  /** The phase that began last ends now. Times of repeated phases add up. */
  finish(phase: Phase): void {
    const now = this.#clock.now()
    this.#phases.set(phase, (this.#phases.get(phase) ?? 0) + now - this.#mark)
    this.#mark = now
  }

  /** What a part of the session did is a part of what the session did; who came last is told. */
  absorb(part: SessionRecord): void {
    this.user = part.user ?? this.user
    this.mechanism = part.mechanism ?? this.mechanism
    this.backend = part.backend ?? this.backend
    this.bytesIn += part.bytesIn
    this.bytesOut += part.bytesOut
    for (const [phase, took] of part.#phases) this.#phases.set(phase, (this.#phases.get(phase) ?? 0) + took)
  }

  /** Writes the line. `reason` is a closed word: how the session ended. */
  end(log: Log, reason: string, more: Readonly<Record<string, unknown>> = {}): void {
    const ms: Record<string, number> = { total: round(this.#clock.now() - this.#began) }
    for (const [phase, took] of this.#phases) ms[phase] = round(took)
    log.info('session ended', {
      session: this.id,
      protocol: this.protocol,
      listener: this.listener,
      client: this.client.address,
      clientPort: this.client.port,
      networks: this.networks,
      user: this.user,
      mechanism: this.mechanism,
      backend: this.backend,
      ms,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      reason,
      ...more,
    })
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
