// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { ProxyChannel } from './rpc-channel.js'
import { cookiesOf, type Pdu, RTS, shapeOf } from './rpc-pdus.js'
import { VirtualConnection } from './rpc-virtual.js'

/** CONN/A1, CONN/B1, IN_R2/A1 and OUT_R2/A3, by which channels begin ([MS-RPCH] section 2.2.4). */
const FIRST = {
  out: `RPC_OUT_DATA ${RTS.none}: version cookie cookie window`,
  in: `RPC_IN_DATA ${RTS.none}: version cookie cookie lifetime keepAlive group`,
  nextIn: `RPC_IN_DATA ${RTS.recycle}: version cookie cookie cookie`,
  nextOut: `RPC_OUT_DATA ${RTS.recycle}: version cookie cookie cookie window`,
} as const

/**
 * An RPC proxy as it stands on a mailbox server of Exchange, with the server behind it in the same process: HTTP and MS-RPCH to the
 * letter, and a service of ours for calls.
 */
export class RpcProxy implements AsyncDisposable {
  readonly port: number
  /** Every request, in their order. */
  readonly requests: ProxyChannel[] = []
  readonly connections: VirtualConnection[] = []
  /** What went against the protocol. */
  readonly faults: unknown[] = []
  readonly #server: Server
  readonly #users: ReadonlySet<string>
  readonly #sockets = new Set<Socket>()
  readonly #byCookie = new Map<string, VirtualConnection>()
  /** IN channels that came before their OUT channel. */
  readonly #early = new Map<string, () => void>()

  private constructor(server: Server, users: readonly string[]) {
    this.#server = server
    this.#users = new Set(users)
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket) => this.#accept(socket))
  }

  /** `users` as `name:password`. The port is any when absent. */
  static async start(users: readonly string[], port = 0): Promise<RpcProxy> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }).listen(port, '127.0.0.1')
    await once(server, 'listening')
    return new RpcProxy(server, users)
  }

  /** Virtual connections that are open. */
  get open(): readonly VirtualConnection[] {
    return this.connections.filter(({ closed }) => !closed)
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
    let held: Buffer = Buffer.alloc(0)
    let channel: ProxyChannel | undefined
    socket.on('data', (octets: Buffer) => {
      try {
        held = Buffer.concat([held, octets])
        const end = held.indexOf('\r\n\r\n')
        if (channel === undefined && end >= 0) {
          channel = this.#begin(socket, held.toString('latin1', 0, end))
          held = held.subarray(end + 4)
        }
        if (channel === undefined) return
        const body = held
        held = Buffer.alloc(0)
        channel.take(body)
        if (channel.isEcho) channel = undefined
      } catch (error) {
        this.faults.push(error)
        socket.destroy()
      }
    })
    socket.on('end', () => channel === undefined && socket.end())
  }

  #begin(socket: Socket, head: string): ProxyChannel {
    const channel = new ProxyChannel(socket, head)
    this.requests.push(channel)
    if (!this.#users.has(channel.credentials)) channel.refuse('401 Unauthorized\r\nWWW-Authenticate: Basic realm="rpc"')
    else if (channel.isEcho) channel.echo()
    else channel.onPdu = (pdu) => this.#first(channel, pdu)
    return channel
  }

  /** Which virtual connection a channel belongs to, and as what, its first PDU says. */
  #first(channel: ProxyChannel, pdu: Pdu): void {
    const [virtual = '', one = '', two = ''] = cookiesOf(pdu)
    const role = `${channel.method} ${shapeOf(pdu)}`
    if (role === FIRST.out && channel.length === 76) {
      this.#found(virtual, new VirtualConnection(channel, pdu, one))
      return
    }
    const known = this.#byCookie.get(virtual)
    if (known === undefined && role === FIRST.in) {
      this.#early.set(virtual, () => this.#first(channel, pdu))
      return
    }
    if (known === undefined || known.closed) throw new Error(`${role} for no virtual connection that is here`)
    if (known.user !== channel.credentials) throw new Error('a channel of somebody else')
    if (role === FIRST.in) known.join(channel, one)
    else if (role === FIRST.nextIn) known.replaceIn(channel, one, two)
    else if (role === FIRST.nextOut && channel.length === 120) known.replaceOut(channel, pdu, one, two)
    else throw new Error(`no channel of ${channel.length} octets begins so: ${role}`)
  }

  #found(cookie: string, virtual: VirtualConnection): void {
    this.#byCookie.set(cookie, virtual)
    this.connections.push(virtual)
    this.#early.get(cookie)?.()
    this.#early.delete(cookie)
  }

  /** The machine fails: nobody is told anything, and nobody can connect. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.kill()
  }
}
