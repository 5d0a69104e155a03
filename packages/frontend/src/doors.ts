// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import type { Server } from 'node:net'
import { type Address, formatAddress } from '@portico/base'
import { createTlsAcceptor, type Leg, type Listener, listen, type TlsAcceptor, type TlsCertificate } from '@portico/net'
import type { ListenerFacts } from '@portico/session'
import type { Generation, Lasting } from './generation.js'
import { listenFailure } from './listen-failure.js'
import type { ListenerSettings } from './schema.js'
import { SessionHost } from './session-host.js'

/** What tells one listener from another across configurations: protocol and address, and a count for addresses with port 0. */
export function listenerKeys(listeners: readonly ListenerSettings[]): Map<string, ListenerSettings> {
  const keyed = new Map<string, ListenerSettings>()
  for (const listener of listeners) {
    const plain = `${listener.protocol} ${placeOf(listener)}`
    let key = plain
    for (let count = 2; keyed.has(key); count += 1) key = `${plain} ${count}`
    keyed.set(key, listener)
  }
  return keyed
}

/** Where it listens: TCP and UDP have ports of their own. */
export function placeOf({ address, transport }: Pick<ListenerSettings, 'address' | 'transport'>): string {
  return `${transport === 'udp' ? 'udp:' : ''}${formatAddress(address)}`
}

export interface DoorOptions {
  readonly lasting: Lasting
  /** Makes ids of sessions. */
  readonly nextId: () => string
  readonly ticketKeys: Buffer | undefined
  /** A connection is ready for its session. */
  readonly welcome: (door: Door, leg: Leg) => void
}

/** One listener that lives across configurations: its socket stays, what it does with connections follows the newest one. */
export class Door {
  readonly protocol: string
  /** The sessions that came in here. */
  readonly sessions: SessionHost
  facts: ListenerFacts
  #settings: ListenerSettings
  #generation: Generation
  #acceptor: TlsAcceptor | undefined
  /** What the acceptor was made with. */
  #authority: string | undefined
  #alpn: readonly string[] = []
  readonly #options: DoorOptions
  #listener: Listener | undefined

  constructor(settings: ListenerSettings, generation: Generation, options: DoorOptions) {
    this.protocol = settings.protocol
    this.#settings = settings
    this.#generation = generation
    this.#options = options
    this.sessions = new SessionHost(options.lasting.wheel)
    this.facts = this.#renew()
  }

  get generation(): Generation {
    return this.#generation
  }

  /** Starts accepting. Rejects with an error that says what can be done. */
  async open(at: Address | Server): Promise<void> {
    const door = this
    const { wheel, log } = this.#options.lasting
    const served = this.#generation.protocol(this.protocol)
    try {
      this.#listener = await listen({
        name: this.#settings.name,
        at,
        wheel,
        get maxConnections() {
          return door.#generation.checked.settings.limits.connections
        },
        get maxPerAddress() {
          return door.#generation.checked.settings.limits.connectionsPerAddress
        },
        tooBusy: served?.protocol.tooBusy ?? new Uint8Array(0),
        get tls() {
          return door.#tls
        },
        get proxyFrom() {
          return door.#generation.checked.networks.balancers
        },
        get proxyHeaderMs() {
          return door.#generation.checked.settings.limits.handshake
        },
        onLeg: (leg) => this.#options.welcome(this, leg),
        onRefused: (why, peer, detail) => {
          const facts = { why, detail, listener: this.facts.name, client: peer.address }
          if (why === 'closed-early') log.debug('connection refused', facts)
          else log.info('connection refused', facts)
        },
      })
    } catch (error) {
      this.#acceptor?.close()
      throw listenFailure(error as Error, this.#settings.address)
    }
  }

  get bound(): { readonly address: string; readonly port: number } {
    return { address: this.#listener?.address ?? '', port: this.#listener?.port ?? 0 }
  }

  /** From now on connections are treated as a newer configuration says. */
  update(settings: ListenerSettings, generation: Generation): void {
    this.#settings = settings
    this.#generation = generation
    this.facts = this.#renew()
  }

  swap(certificates: readonly TlsCertificate[]): void {
    this.#acceptor?.swap(certificates)
  }

  async stopAccepting(): Promise<void> {
    await this.#listener?.stopAccepting()
  }

  /** Lets its sessions finish, at most for the drain time that `generation` has. Resolves when none is left. */
  async drain({ checked }: Generation): Promise<void> {
    const { drain, linger } = checked.settings.limits
    await this.sessions.drain(drain, linger)
  }

  /** Ends its sessions and connections now. */
  async close(): Promise<void> {
    await this.sessions.close()
    await this.#listener?.[Symbol.asyncDispose]()
    this.#acceptor?.close()
  }

  get #tls() {
    const mode = this.#settings.tls
    if (mode !== 'implicit') return { mode }
    if (this.#acceptor === undefined) throw new Error('a listener with implicit TLS has no certificate')
    return { mode, acceptor: this.#acceptor, handshakeMs: this.#generation.checked.settings.limits.handshake } as const
  }

  #renew(): ListenerFacts {
    const { name, tls, plaintextPasswords, options } = this.#settings
    const { certificates, authorities } = this.#generation.checked
    const other =
      authorities.get(this.#settings.index) !== this.#authority || this.#alpnWanted.join() !== this.#alpn.join()
    if (other) this.#acceptor = undefined
    if (tls !== 'none' && this.#acceptor !== undefined) this.#acceptor.swap(certificates)
    if (tls !== 'none' && this.#acceptor === undefined) this.#acceptor = this.#createAcceptor(certificates)
    const tlsAcceptor = tls === 'none' ? undefined : this.#acceptor
    return { name, tls, plaintextPasswords, options, tlsAcceptor }
  }

  get #alpnWanted(): readonly string[] {
    const served = this.#generation.protocol(this.protocol)
    return served?.protocol.alpn(served.settings) ?? []
  }

  #createAcceptor(certificates: readonly TlsCertificate[]): TlsAcceptor {
    const { ticketKeys } = this.#options
    const ca = this.#generation.checked.authorities.get(this.#settings.index)
    this.#authority = ca
    this.#alpn = this.#alpnWanted
    return createTlsAcceptor({
      // Tickets remember who was found good: under another authority they are worth nothing.
      listener: `${ca === undefined ? '' : `${fingerprint(ca)} `}${this.protocol} ${formatAddress(this.#settings.address)}`,
      certificates,
      alpn: this.#alpn,
      ...(ca === undefined ? {} : { clientCertificates: { ca } }),
      ...(ticketKeys === undefined ? {} : { ticketKeys }),
    })
  }
}

function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 8)
}
