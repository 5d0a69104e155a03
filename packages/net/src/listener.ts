// SPDX-License-Identifier: MIT
import { createServer, type Server, type Socket } from 'node:net'
import type { Address, Endpoint, Networks } from '@portico/base'
import { Admission } from './admission.js'
import type { Leg, LegFacts, TlsAcceptor } from './leg.js'
import { bind, unlinkPath } from './listen-at.js'
import { readProxyHeader } from './proxy-reader.js'
import { handleFacts, socketFacts } from './socket-facts.js'
import { SocketLeg } from './socket-leg.js'
import { acceptHandles, isTcp, type StreamBinding, type StreamHandle } from './stream-handle.js'
import type { TimerWheel } from './timer-wheel.js'
import { forwardedTls } from './tls-facts.js'
import type { Transport, TransportOwner } from './transport.js'
import { handlesInUse, overHandle, overSocket } from './transports.js'

/** A listening socket and what becomes of its connections. Times are milliseconds. */
export interface ListenOptions {
  readonly name: string
  /** Where to listen, or a server received from another process, whose options do not travel with it. */
  readonly at: Address | Server
  readonly tls:
    | { readonly mode: 'none' | 'starttls' }
    | { readonly mode: 'implicit'; readonly acceptor: TlsAcceptor; readonly handshakeMs: number }
  /** Peers that must send a PROXY header; everybody else must not. */
  readonly proxyFrom: Networks | undefined
  readonly proxyHeaderMs: number
  readonly maxConnections: number
  /** Of one client address as the PROXY header tells it; of one /64 for IPv6. */
  readonly maxPerAddress: number
  /** Said to a connection over a limit before it is closed; never before implicit TLS. */
  readonly tooBusy: Uint8Array
  readonly wheel: TimerWheel
  /** A connection is ready: PROXY header read, implicit TLS done. */
  onLeg(leg: Leg): void
  onRefused(why: RefusedBecause, peer: Endpoint, detail?: string): void
}

export type RefusedBecause = 'over-limit' | 'over-address-limit' | 'bad-proxy-header' | 'tls-failed' | 'closed-early'

/** A bound listener. Disposal stops accepting and drops every connection that is left. */
export interface Listener extends AsyncDisposable {
  readonly name: string
  readonly address: string
  readonly port: number
  /** Open connections, those in a handshake included. */
  readonly connections: number
  /** Resolves when no further connection will be accepted; live ones go on. */
  stopAccepting(): Promise<void>
  /** For handing the socket to another process. */
  readonly server: Server
}

const NO_ONE: Endpoint = { address: '', port: 0, family: 4 }
const NOTHING = new Uint8Array(0)
const LINGER_MS = 1_000
/** Refused connections that may wait for their last words to arrive; beyond it they are dropped at once. */
const MOST_LINGERING = 256

/** Binds and accepts. Rejects with Node's error when the address cannot be bound. */
export async function listen(options: ListenOptions): Promise<Listener> {
  // Both ends of a half-closed connection stay usable; without noDelay a dialogue stalls 40 ms per exchange.
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: 16_384 })
  const door = new Door(server, options)
  server.on('connection', (socket) => door.accept(socket))
  door.bound(await bind(server, options.at))
  const binding = handlesInUse()
  if (binding !== undefined) acceptHandles(server, (handle) => door.acceptHandle(handle, binding))
  return door
}

class Door implements Listener {
  readonly name: string
  readonly server: Server
  address = ''
  port = 0
  #path: string | undefined
  readonly #options: ListenOptions
  readonly #admission: Admission
  readonly #legs = new Set<SocketLeg>()
  /** It no longer listens, and its last socket of node:net is gone: Node says so once, maybe before a socket's own `close`. */
  readonly #closed: Promise<void>
  #lingering = 0
  #whenEmpty: (() => void) | undefined

  constructor(server: Server, options: ListenOptions) {
    this.server = server
    this.name = options.name
    this.#options = options
    this.#admission = new Admission(options)
    // An accept that failed (out of descriptors) must not end the process; Node goes on accepting.
    server.on('error', () => undefined)
    this.#closed = new Promise((resolve) => server.once('close', () => resolve()))
  }

  /** `path`: of a Unix socket. */
  bound(path: string | undefined): void {
    const bound = this.server.address()
    this.#path = path
    this.address = path ?? (typeof bound === 'object' ? (bound?.address ?? '') : '')
    this.port = typeof bound === 'object' ? (bound?.port ?? 0) : 0
  }

  get connections(): number {
    return this.#admission.total
  }

  stopAccepting(): Promise<void> {
    if (this.server.listening) this.server.close()
    return Promise.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAccepting()
    for (const leg of this.#legs) leg.drop()
    await this.#closed
    if (this.#legs.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve
      })
    }
    if (this.#path !== undefined) await unlinkPath(this.#path)
  }

  accept(socket: Socket): void {
    const facts = socketFacts(socket, this.#path)
    if (facts === undefined) {
      socket.on('error', () => undefined)
      socket.destroy()
      this.#options.onRefused('closed-early', NO_ONE)
      return
    }
    this.#welcome(overSocket(socket), facts)
  }

  acceptHandle(handle: StreamHandle, binding: StreamBinding): void {
    const facts = handleFacts(handle, this.#path)
    if (facts === undefined) {
      handle.close()
      this.#options.onRefused('closed-early', NO_ONE)
      return
    }
    if (isTcp(handle)) handle.setNoDelay(true)
    this.#welcome(overHandle(handle, binding), facts)
  }

  #welcome(open: (owner: TransportOwner) => Transport, facts: LegFacts): void {
    const withinLimit = this.#admission.enter()
    const { proxyFrom, wheel } = this.#options
    let key: string | undefined
    const leg: SocketLeg = new SocketLeg(open, facts, {
      wheel,
      gone: () => {
        this.#legs.delete(leg)
        this.#admission.leave()
        if (key !== undefined) this.#admission.leaveAddress(key)
        if (this.#legs.size === 0) this.#whenEmpty?.()
      },
    })
    this.#legs.add(leg)
    const counted = (address: string): void => {
      key = address
    }
    if (!withinLimit) this.#refuse(leg, 'over-limit')
    else if (proxyFrom?.contains(facts.socketPeer.address) === true) void this.#proxied(leg, counted)
    else this.#admit(leg, counted)
  }

  async #proxied(leg: SocketLeg, counted: (address: string) => void): Promise<void> {
    const header = await readProxyHeader(leg, this.#options.proxyHeaderMs)
    if (header.kind !== 'header') {
      const { peer } = leg.facts
      leg.destroy()
      if (header.kind === 'closed') this.#options.onRefused('closed-early', peer)
      else this.#options.onRefused('bad-proxy-header', peer, header.why)
      return
    }
    leg.beginHere()
    if (header.source !== undefined && !header.local) leg.setPeer(header.source, header.destination)
    if (header.tls !== undefined) leg.tls = forwardedTls(header.tls, header.alpn, header.authority)
    this.#admit(leg, counted)
  }

  #admit(leg: SocketLeg, counted: (address: string) => void): void {
    const { peer } = leg.facts
    if (peer.family !== 'unix') {
      const key = this.#admission.enterAddress(peer.address)
      if (key === undefined) {
        this.#refuse(leg, 'over-address-limit')
        return
      }
      counted(key)
    }
    const { tls } = this.#options
    if (tls.mode !== 'implicit' || leg.tls !== undefined) this.#options.onLeg(leg)
    else void this.#secure(leg, tls.acceptor, tls.handshakeMs)
  }

  async #secure(leg: SocketLeg, acceptor: TlsAcceptor, handshakeMs: number): Promise<void> {
    const result = await leg.upgradeServer(acceptor, NOTHING, 'implicit', handshakeMs)
    if (result.kind === 'secure') this.#options.onLeg(leg)
    else if (result.reason === 'closed') this.#options.onRefused('closed-early', leg.facts.peer)
    else this.#options.onRefused('tls-failed', leg.facts.peer, result.reason)
  }

  #refuse(leg: SocketLeg, why: RefusedBecause): void {
    const { tls, tooBusy, onRefused } = this.#options
    if (tls.mode === 'implicit' || tooBusy.length === 0 || this.#lingering >= MOST_LINGERING) {
      leg.destroy()
    } else {
      this.#lingering += 1
      leg.setReader({
        onBytes: (view) => view.length,
        onDrain: () => undefined,
        onPeerEnd: () => undefined,
        onEnd: () => {
          this.#lingering -= 1
        },
      })
      leg.write(tooBusy)
      leg.close(LINGER_MS)
    }
    onRefused(why, leg.facts.peer)
  }
}
