// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import { type Endpoint, unmapped } from '@portico/base'
import type { LegFacts } from './leg.js'

/** The addresses of a connected socket; undefined when it is already gone. `path` is that of a Unix socket. */
export function socketFacts(socket: Socket, path: string | undefined): LegFacts | undefined {
  if (path !== undefined) {
    const end: Endpoint = { address: path, port: 0, family: 'unix' }
    return { peer: end, local: end, socketPeer: end }
  }
  const peer = endpoint(socket.remoteAddress, socket.remotePort)
  const local = endpoint(socket.localAddress, socket.localPort)
  return peer === undefined || local === undefined ? undefined : { peer, local, socketPeer: peer }
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  if (address === undefined || port === undefined) return undefined
  const plain = unmapped(address)
  return { address: plain, port, family: plain.includes(':') ? 6 : 4 }
}
