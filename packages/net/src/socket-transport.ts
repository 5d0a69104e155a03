// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import type { Octets } from './leg.js'
import { held, writable } from './read-memory.js'
import type { Transport, TransportOwner } from './transport.js'

const OWNER = Symbol('owner')
interface OwnedSocket extends Socket {
  [OWNER]?: TransportOwner
}

// Shared by all sockets, so that one costs no closure per event.
function onData(this: OwnedSocket, bytes: Buffer): void {
  this[OWNER]?.received(bytes)
}
function onDrain(this: OwnedSocket): void {
  this[OWNER]?.drained()
}
function onEof(this: OwnedSocket): void {
  this[OWNER]?.peerEnded()
}
function onError(this: OwnedSocket, error: Error): void {
  this[OWNER]?.failed(error)
}
function onClose(this: OwnedSocket): void {
  this[OWNER]?.closed()
}
function ignore(): void {}

/** Tells `owner` of the end of a socket that somebody else reads. */
export function watchEnd(socket: Socket, owner: TransportOwner): void {
  const owned: OwnedSocket = socket
  owned[OWNER] = owner
  owned.on('error', onError)
  owned.on('close', onClose)
}

/** The end of a socket no longer matters; that of another one above it does. */
export function forgetEnd(socket: Socket): void {
  socket.removeListener('error', onError)
  socket.removeListener('close', onClose)
  socket.on('error', ignore)
}

/** Destroys a socket. `raw`: the one below TLS, else the same. */
export function destroySocket(socket: Socket, raw: Socket, reset: boolean): void {
  if (reset && !raw.destroyed && raw.remoteAddress !== undefined) {
    // The first would wait for what is queued to be flushed, and end with a FIN; the second makes it reset at once.
    raw.resetAndDestroy()
    raw.destroy()
  }
  socket.destroy()
}

/**
 * Far above a TLS socket's own mark, which every read of the other side would pass, so that each would stop and restart it; with
 * one read more it bounds what a slow peer can make us hold.
 */
const MARK = 131_072

/** A connection by the public API of Node. */
export class SocketTransport implements Transport {
  readonly mark = MARK
  readonly #socket: OwnedSocket
  readonly #raw: Socket

  /** `raw`: the socket below TLS, else the same. Its end must be watched already: {@link watchEnd}. */
  constructor(socket: Socket, raw: Socket) {
    this.#socket = socket
    this.#raw = raw
    socket.on('drain', onDrain)
    socket.on('end', onEof)
    socket.on('data', onData)
  }

  get queued(): number {
    // Whoever writes until told to stop would go on for ever: a failed write destroys the socket, and is told later.
    return this.#socket.destroyed ? MARK : this.#socket.writableLength
  }

  get unread(): number {
    return this.#socket.readableLength
  }

  write(bytes: Octets): void {
    const mine = writable(bytes)
    this.#socket.write(mine)
    if (this.#socket.writableLength > 0) held(mine)
  }

  writeText(latin1: string): void {
    this.#socket.write(latin1, 'latin1')
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(reset: boolean): void {
    destroySocket(this.#socket, this.#raw, reset)
  }

  toSocket(front: readonly Buffer[]): Socket {
    const socket = this.#socket
    while (socket.writableCorked > 0) socket.uncork()
    socket.removeListener('data', onData)
    socket.removeListener('end', onEof)
    socket.removeListener('drain', onDrain)
    socket.pause()
    for (const bytes of front.toReversed()) if (bytes.length > 0) socket.unshift(bytes)
    return socket
  }
}
