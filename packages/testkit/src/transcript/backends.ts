// SPDX-License-Identifier: MIT
import { createServer, type Server, type Socket } from 'node:net'
import { Wire } from './channel.js'

/** A backend that the test plays: it listens, and says only what the transcript says. */
export class PlayedBackend {
  readonly port: number
  /** Connections nobody has looked at yet, oldest first. */
  readonly #waiting: Wire[] = []
  readonly #all: Wire[] = []
  #current: Wire | undefined
  #wake: (() => void) | undefined
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.port = portOf(server)
    server.on('connection', (socket: Socket) => {
      const wire = new Wire(socket)
      this.#waiting.push(wire)
      this.#all.push(wire)
      this.#wake?.()
    })
  }

  static async listen(): Promise<PlayedBackend> {
    const server = createServer({ allowHalfOpen: true })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new PlayedBackend(server)
  }

  /** The connection the transcript is speaking of; undefined when none came within `ms`. */
  async current(ms: number, hasMore: (wire: Wire) => boolean = () => true): Promise<Wire | undefined> {
    const present = this.#current
    if (present !== undefined && hasMore(present)) return present
    const next = await this.next(ms)
    return next ?? present
  }

  /** Turns to the next connection, which may have been made already. */
  async next(ms: number): Promise<Wire | undefined> {
    if (this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    const wire = this.#waiting.shift()
    if (wire !== undefined) this.#current = wire
    return wire
  }

  /** Connections that no line of the transcript spoke of. */
  get unnoticed(): readonly Wire[] {
    return this.#waiting
  }

  get wires(): readonly Wire[] {
    return this.#all
  }

  /** From now on connections are refused. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const wire of this.#waiting.splice(0)) wire.reset()
    // Closing waits for live connections; the port itself is free at once.
    void closed
    await Promise.resolve()
  }

  close(): void {
    this.#server.close()
    for (const wire of this.#all) wire.destroy()
  }
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a backend must listen on a port')
  return address.port
}
