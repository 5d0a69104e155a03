// SPDX-License-Identifier: MIT
import { connect, type Socket } from 'node:net'

/** A client of a line protocol. */
export class Client {
  readonly #socket: Socket
  #text = ''
  #closed = false
  #waiting: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      this.#text += data.toString('latin1')
      this.#waiting?.()
    })
    socket.on('close', () => {
      this.#closed = true
      this.#waiting?.()
    })
  }

  static to(port: number): Client {
    return new Client(connect({ port, host: '127.0.0.1' }))
  }

  /** The next line, or undefined when the server has closed. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return line
      }
      if (this.#closed) return undefined
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }

  ask(text: string): Promise<string | undefined> {
    this.#socket.write(`${text}\r\n`)
    return this.line()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
