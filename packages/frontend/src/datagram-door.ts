// SPDX-License-Identifier: MIT
import { type DatagramListener, listenForDatagrams } from '@portico/net'
import type { ListenerFacts } from '@portico/session'
import { DatagramHost } from './datagram-host.js'
import type { DoorOptions } from './doors.js'
import type { Generation } from './generation.js'
import { listenFailure } from './listen-failure.js'
import type { ListenerSettings } from './schema.js'

/** As {@link Door}, of a listener for datagrams: its socket stays across configurations, what becomes of a datagram follows the newest. */
export class DatagramDoor {
  readonly protocol: string
  /** The datagrams that are being answered. */
  readonly sessions: DatagramHost
  facts: ListenerFacts
  #settings: ListenerSettings
  #generation: Generation
  #listener: DatagramListener | undefined
  readonly #options: Pick<DoorOptions, 'lasting' | 'nextId'>

  constructor(settings: ListenerSettings, generation: Generation, options: Pick<DoorOptions, 'lasting' | 'nextId'>) {
    this.protocol = settings.protocol
    this.#settings = settings
    this.#generation = generation
    this.#options = options
    this.facts = factsOf(settings)
    this.sessions = new DatagramHost(options.lasting.wheel, options.lasting.log)
  }

  async open(): Promise<void> {
    const door = this
    const { clock, log } = this.#options.lasting
    const { name, address } = this.#settings
    try {
      this.#listener = await listenForDatagrams({
        name,
        at: address,
        clock,
        get balancers() {
          return door.#generation.checked.networks.balancers
        },
        get maxPerSecond() {
          return door.#generation.checked.settings.limits.datagramsPerAddress
        },
        onDatagram: ({ bytes, peer }) => this.#welcome(bytes, peer),
        onRefused: (why, peer) =>
          log.debug('datagram dropped', { why, listener: this.facts.name, client: peer.address }),
      })
    } catch (error) {
      throw listenFailure(error as Error, address)
    }
  }

  get bound(): { readonly address: string; readonly port: number; readonly transport: 'udp' } {
    return { address: this.#listener?.address ?? '', port: this.#listener?.port ?? 0, transport: 'udp' }
  }

  update(settings: ListenerSettings, generation: Generation): void {
    this.#settings = settings
    this.#generation = generation
    this.facts = factsOf(settings)
  }

  /** There is no TLS here. */
  swap(): void {}

  /** What is being answered keeps the socket to be answered by; whoever comes then is not heard any more. */
  async stopAccepting(): Promise<void> {
    this.#listener?.stopReceiving()
    if (this.sessions.size === 0) await this.#listener?.[Symbol.asyncDispose]()
  }

  async drain({ checked }: Generation): Promise<void> {
    await this.sessions.drain(checked.settings.limits.drain)
  }

  async close(): Promise<void> {
    await this.sessions.close()
    await this.#listener?.[Symbol.asyncDispose]()
  }

  #welcome(bytes: Buffer, peer: Parameters<DatagramListener['send']>[1]): void {
    const generation = this.#generation
    const served = generation.protocol(this.protocol)
    if (served === undefined) return
    const { namesOf } = generation.checked.networks
    const done = generation.use()
    const parts = {
      id: this.#options.nextId(),
      protocol: this.protocol,
      listener: this.facts,
      bytes,
      peer,
      networks: namesOf(peer.address),
      services: generation.services,
      send: (answer: Uint8Array, port: number) => this.#listener?.send(answer, { ...peer, port }),
    }
    void this.sessions.run(parts, served.protocol, served.settings).finally(done)
  }
}

function factsOf({ name, tls, plaintextPasswords, options }: ListenerSettings): ListenerFacts {
  return { name, tls, plaintextPasswords, options, tlsAcceptor: undefined }
}
