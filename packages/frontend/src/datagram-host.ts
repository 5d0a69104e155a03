// SPDX-License-Identifier: MIT
import { CancellationSource, type Endpoint, type ProtocolName } from '@portico/base'
import { clientKey, type TimerWheel } from '@portico/net'
import type { DatagramExchange, ListenerFacts, Protocol, Services } from '@portico/session'
import { type Log, SessionRecord } from '@portico/telemetry'

/** What an exchange is made of. */
export interface DatagramParts {
  readonly id: string
  readonly protocol: ProtocolName
  readonly listener: ListenerFacts
  readonly bytes: Buffer
  readonly peer: Endpoint
  readonly networks: readonly string[]
  readonly services: Services
  /** To the peer's address. */
  readonly send: (bytes: Uint8Array, port: number) => void
}

/** Has the datagrams of one listener answered, and knows those that are not answered yet. */
export class DatagramHost {
  readonly #wheel: TimerWheel
  readonly #log: Log
  readonly #live = new Set<LiveDatagram>()
  readonly #byClient = new Map<string, number>()
  readonly #whenEmpty = new Set<() => void>()
  #draining = false

  constructor(wheel: TimerWheel, log: Log) {
    this.#wheel = wheel
    this.#log = log
  }

  get size(): number {
    return this.#live.size
  }

  /** Never rejects: a bug ends the answer to that one datagram. Beyond the limits of connections datagrams are dropped. */
  async run<S>(parts: DatagramParts, protocol: Protocol<S>, settings: S): Promise<void> {
    const { limits } = parts.services
    const key = clientKey(parts.peer)
    const ofClient = this.#byClient.get(key) ?? 0
    if (this.#live.size >= limits.connections || ofClient >= limits.connectionsPerAddress) {
      const facts = { why: 'over-limit', listener: parts.listener.name, client: parts.peer.address }
      this.#log.debug('datagram dropped', facts)
      return
    }
    const exchange = new LiveDatagram(parts, () => this.#draining)
    this.#live.add(exchange)
    this.#byClient.set(key, ofClient + 1)
    const limit = this.#wheel.add(limits.openBackend, () => exchange.signal.abort('deadline'))
    try {
      await protocol.serveDatagram?.(exchange, settings)
    } catch (error) {
      this.#log.error('a datagram could not be answered: this is a bug', { session: exchange.id, error })
    }
    limit.cancel()
    this.#gone(exchange, key)
  }

  /** Waits for what is being answered; after `ms` it is told to stop. */
  async drain(ms: number): Promise<void> {
    this.#draining = true
    const limit = this.#wheel.add(ms, () => this.#stop('draining'))
    await this.#empty()
    limit.cancel()
  }

  async close(): Promise<void> {
    this.#draining = true
    this.#stop('closed')
    await this.#empty()
  }

  #gone(exchange: LiveDatagram, key: string): void {
    this.#live.delete(exchange)
    const count = this.#byClient.get(key) ?? 0
    if (count > 1) this.#byClient.set(key, count - 1)
    else this.#byClient.delete(key)
    if (this.#live.size === 0) for (const tell of this.#whenEmpty) tell()
  }

  #stop(why: 'draining' | 'closed'): void {
    for (const { signal } of this.#live) signal.abort(why)
  }

  async #empty(): Promise<void> {
    if (this.#live.size === 0) return
    await new Promise<void>((resolve) => this.#whenEmpty.add(resolve))
  }
}

class LiveDatagram implements DatagramExchange {
  readonly id: string
  readonly protocol: ProtocolName
  readonly listener: ListenerFacts
  readonly bytes: Buffer
  readonly peer: Endpoint
  readonly networks: readonly string[]
  readonly services: Services
  readonly signal = new CancellationSource()
  readonly record: SessionRecord
  readonly hops = 0
  readonly #send: DatagramParts['send']
  readonly #isDraining: () => boolean

  constructor(parts: DatagramParts, isDraining: () => boolean) {
    this.id = parts.id
    this.protocol = parts.protocol
    this.listener = parts.listener
    this.bytes = parts.bytes
    this.peer = parts.peer
    this.networks = parts.networks
    this.services = parts.services
    this.#send = parts.send
    this.#isDraining = isDraining
    this.record = new SessionRecord({
      id: parts.id,
      protocol: parts.protocol,
      listener: parts.listener.name,
      client: parts.peer,
      networks: parts.networks,
      clock: parts.services.clock,
    })
  }

  get draining(): boolean {
    return this.#isDraining()
  }

  reply(bytes: Uint8Array, port: number = this.peer.port): void {
    this.#send(bytes, port)
  }
}
