// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import { type Endpoint, unmapped } from '@portico/base'
import type { LegFacts } from './leg.js'
import { isTcp, type SocketName, type StreamHandle, type TcpHandle } from './stream-handle.js'

/** The local end of a connection that is gone. */
const UNKNOWN: Endpoint = { address: '0.0.0.0', port: 0, family: 4 }

/** The addresses of a connected socket; undefined when it is already gone. `path` is that of a Unix socket. */
export function socketFacts(socket: Socket, path: string | undefined): LegFacts | undefined {
  if (path !== undefined) return unixFacts(path)
  const peer = endpoint(socket.remoteAddress, socket.remotePort)
  return peer === undefined
    ? undefined
    : new ConnectedFacts(peer, () => endpoint(socket.localAddress, socket.localPort))
}

/** As {@link socketFacts}, for a handle. `peer`: to whom it was connected. */
export function handleFacts(
  handle: StreamHandle,
  path: string | undefined,
  peer: Endpoint | undefined = isTcp(handle) ? peerOf(handle) : undefined,
): LegFacts | undefined {
  if (path !== undefined) return unixFacts(path)
  if (peer === undefined || !isTcp(handle)) return undefined
  return new ConnectedFacts(peer, () => {
    const name: SocketName = {}
    return handle.getsockname(name) === 0 ? endpoint(name.address, name.port) : undefined
  })
}

/** The kernel is asked for the local end only when somebody wants it: of most legs nobody does. */
class ConnectedFacts implements LegFacts {
  readonly peer: Endpoint
  readonly #askLocal: () => Endpoint | undefined
  #local: Endpoint | undefined

  constructor(peer: Endpoint, askLocal: () => Endpoint | undefined) {
    this.peer = peer
    this.#askLocal = askLocal
  }

  get socketPeer(): Endpoint {
    return this.peer
  }

  get local(): Endpoint {
    this.#local ??= this.#askLocal() ?? UNKNOWN
    return this.#local
  }
}

function unixFacts(path: string): LegFacts {
  const end: Endpoint = { address: path, port: 0, family: 'unix' }
  return { peer: end, local: end, socketPeer: end }
}

function peerOf(handle: TcpHandle): Endpoint | undefined {
  const name: SocketName = {}
  return handle.getpeername(name) === 0 ? endpoint(name.address, name.port) : undefined
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  if (address === undefined || port === undefined) return undefined
  const plain = unmapped(address)
  return { address: plain, port, family: plain.includes(':') ? 6 : 4 }
}
