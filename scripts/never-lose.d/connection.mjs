// SPDX-License-Identifier: MIT
import { connect } from 'node:net'

/** A reply takes longer only if somebody has forgotten to give it. */
const PATIENCE_MS = 120_000

/** An SMTP connection of the sender. What is lost with it shows as `undefined` in place of a reply. */
export class Connection {
  #socket
  #text = ''
  #wake = () => {}
  over = false
  /** CHUNKING was offered (RFC 3030). */
  takesChunks = false

  /** Undefined: nobody listens there now. */
  static async open(port, localAddress) {
    const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true })
    const opened = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    return opened ? new Connection(socket) : undefined
  }

  constructor(socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#text += chunk.toString('latin1')
      this.#wake()
    })
    socket.on('error', () => this.destroy())
    socket.on('close', () => this.destroy())
  }

  write(octets) {
    if (!this.over) this.#socket.write(octets)
  }

  /** The next reply (RFC 5321 section 4.2), all its lines in `text`; undefined when the connection ends first. */
  async reply() {
    const late = setTimeout(() => this.destroy(), PATIENCE_MS)
    try {
      for (;;) {
        const found = /^(?:\d{3}-[^\n]*\n)*(\d{3})(?: [^\n]*)?\r\n/.exec(this.#text)
        if (found !== null) {
          this.#text = this.#text.slice(found[0].length)
          return { code: Number(found[1]), text: found[0].trim() }
        }
        if (this.over) return undefined
        await new Promise((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      clearTimeout(late)
    }
  }

  ask(octets) {
    this.write(octets)
    return this.reply()
  }

  destroy() {
    this.over = true
    this.#socket.destroy()
    this.#wake()
  }
}
