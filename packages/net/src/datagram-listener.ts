// SPDX-License-Identifier: MIT
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { lookup as lookUp } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIPv4, isIPv6, type LookupFunction } from 'node:net'
import { type Address, type Clock, type Endpoint, type Networks, unmapped } from '@portico/base'
import { addressKey } from './admission.js'
import { isAnswerable } from './datagram-source.js'
import type { Octets } from './leg.js'
import { codeOf } from './leg-errors.js'
import { RateTable } from './rate-table.js'

/** A socket for datagrams (UDP) and what becomes of them. */
export interface DatagramOptions {
  readonly name: string
  readonly at: Address
  readonly clock: Clock
  /** Peers that would have to say whom they speak for: no datagram tells it. */
  readonly balancers: Networks | undefined
  /** Datagrams of one client address in a second; of one /64 for IPv6. More are dropped unread. */
  readonly maxPerSecond: number
  onDatagram(datagram: Datagram): void
  onRefused(why: DatagramRefused, peer: Endpoint): void
}

/** What came in one datagram. */
export interface Datagram {
  readonly bytes: Buffer
  readonly peer: Endpoint
}

/** `unanswerable`: it says that it comes from where nobody asks: a broadcast address, port 0, a service that answers everything. */
export type DatagramRefused = 'unanswerable' | 'balancer' | 'over-rate'

/** A bound socket for datagrams. Disposal closes it. */
export interface DatagramListener extends AsyncDisposable {
  readonly name: string
  readonly address: string
  readonly port: number
  /** Sends one datagram, or drops it where it may not be sent or too many are on their way; nobody hears of it. */
  send(bytes: Octets, to: Endpoint): void
  /** Nothing is taken any more; sending goes on until disposal. */
  stopReceiving(): void
}

/** Octets that the kernel did not take yet: what is sent beyond them is lost, as on any full link. */
const MOST_QUEUED = 1_048_576

/**
 * Binds a socket for datagrams; `[::]:port` serves IPv4, too. Rejects with Node's error when the address cannot be bound. In a
 * worker of node:cluster the socket is shared with its peers, as listening ones are.
 */
export async function listenForDatagrams(options: DatagramOptions): Promise<DatagramListener> {
  if (options.at.kind === 'unix') throw new Error('there are no datagrams on a Unix socket here')
  return new BoundSocket(await bound(options.at.host, options.at.port), options)
}

async function bound(host: string, port: number): Promise<Socket> {
  const address = isIPv4(host) || isIPv6(host) ? host : (await lookup(host)).address
  try {
    return await boundTo(address, port)
  } catch (error) {
    // As with connections: a host without IPv6 has no dual-stack socket.
    const noIpv6 = error instanceof Error && ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(codeOf(error))
    if (address !== '::' || !noIpv6) throw error
    return boundTo('0.0.0.0', port)
  }
}

function boundTo(address: string, port: number): Promise<Socket> {
  const family = isIPv4(address) ? 4 : 6
  // Only addresses are ever sent to: they go out in the call that sends them, and so before the socket is closed.
  const asItIs: LookupFunction = (host, _options, done) => done(null, host, family)
  const socket = createSocket({ type: `udp${family}`, lookup: asItIs as typeof lookUp })
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind({ address, port }, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

class BoundSocket implements DatagramListener {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly #socket: Socket
  readonly #options: DatagramOptions
  readonly #rates: RateTable
  readonly #closed: Promise<void>
  /** IPv4 peers have a mapped address at a socket of IPv6. */
  readonly #isV6: boolean
  #open = true
  #receiving = true

  constructor(socket: Socket, options: DatagramOptions) {
    const { address, port, family } = socket.address()
    this.name = options.name
    this.address = address
    this.port = port
    this.#isV6 = family === 'IPv6'
    this.#socket = socket
    this.#options = options
    const rule = {
      get perSecond() {
        return options.maxPerSecond
      },
    }
    this.#rates = new RateTable(rule, options.clock)
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
    // What the network says of one datagram is nobody's end.
    socket.on('error', () => undefined)
    socket.on('message', (bytes, from) => this.#receive(bytes, from))
  }

  send(bytes: Octets, to: Endpoint): void {
    if (!this.#open || to.family === 'unix' || !isAnswerable(to)) return
    if (this.#socket.getSendQueueSize() > MOST_QUEUED) return
    const address = this.#isV6 && to.family === 4 ? `::ffff:${to.address}` : to.address
    this.#socket.send(bytes, to.port, address, () => undefined)
  }

  stopReceiving(): void {
    this.#receiving = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#receiving = false
    if (this.#open) this.#socket.close()
    this.#open = false
    await this.#closed
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    if (!this.#receiving) return
    const peer = endpointOf(from)
    const why = this.#fault(peer)
    if (why === undefined) this.#options.onDatagram({ bytes, peer })
    else this.#options.onRefused(why, peer)
  }

  #fault(peer: Endpoint): DatagramRefused | undefined {
    if (!isAnswerable(peer)) return 'unanswerable'
    if (this.#options.balancers?.contains(withoutZone(peer.address)) === true) return 'balancer'
    return this.#rates.take(addressKey(withoutZone(peer.address))) ? undefined : 'over-rate'
  }
}

function endpointOf({ address, port }: RemoteInfo): Endpoint {
  const plain = unmapped(address)
  return { address: plain, port, family: plain.includes(':') ? 6 : 4 }
}

/** A link-local address comes with the interface that leads there (RFC 4007 section 11). */
function withoutZone(address: string): string {
  const zone = address.indexOf('%')
  return zone < 0 ? address : address.slice(0, zone)
}
