// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import { HandleTransport } from './handle-transport.js'
import { SocketTransport, watchEnd } from './socket-transport.js'
import { handleOf, type StreamBinding, type StreamHandle } from './stream-handle.js'
import type { Transport, TransportOwner } from './transport.js'

/** Given once the handles of this Node have been found to work as they have to: see choose-transport.ts. */
let chosen: StreamBinding | undefined

/** From now on connections of this process are made on handles, or by node:net and node:tls when undefined. */
export function useHandles(binding: StreamBinding | undefined): void {
  chosen = binding
}

export function handlesInUse(): StreamBinding | undefined {
  return chosen
}

/** The transport of a handle that has no socket. */
export function overHandle(handle: StreamHandle, binding: StreamBinding): (owner: TransportOwner) => Transport {
  return (owner) => new HandleTransport(handle, { binding, owner })
}

/** The transport of a connected socket that nobody reads. `raw`: the one below it where it is TLS. */
export function overSocket(socket: Socket, raw?: Socket): (owner: TransportOwner) => Transport {
  return (owner) => {
    watchEnd(socket, owner)
    const handle = chosen === undefined ? undefined : handleOf(socket)
    if (chosen === undefined || typeof handle?.useUserBuffer !== 'function')
      return new SocketTransport(socket, raw ?? socket)
    const read: Buffer | null = socket.read()
    if (read !== null) process.nextTick(() => owner.received(read))
    return new HandleTransport(handle, { binding: chosen, owner, socket, ...(raw === undefined ? {} : { raw }) })
  }
}
